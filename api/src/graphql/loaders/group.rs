//! What is read of the groups on a page, and of the groups of the sessions on a page.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::{Fault, Reader, alike};
use crate::db::page::Page;
use crate::group::read::{self, Part};
use crate::group::references::{self, Reference};
use crate::group::{Filter, Group};

/// A part of the groups of one session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct GroupsOf {
    pub session: Uuid,
    pub part: Arc<Part>,
}

impl Loader<GroupsOf> for Reader {
    type Value = Page<Group>;
    type Error = Fault;

    /// One statement for all sessions of which the same part is wanted.
    async fn load(&self, keys: &[GroupsOf]) -> Result<HashMap<GroupsOf, Page<Group>>, Fault> {
        let mut found = HashMap::new();
        for (part, sessions) in alike(keys.iter().map(|key| (&key.part, key.session))) {
            let pages = read::page_of_each(&self.database, part, &sessions).await?;
            found.extend(pages.into_iter().map(|(session, page)| (GroupsOf { session, part: Arc::clone(part) }, page)));
        }
        Ok(found)
    }
}

/// How many groups of one session meet a filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct GroupCountOf {
    pub session: Uuid,
    pub filter: Arc<Filter>,
}

impl Loader<GroupCountOf> for Reader {
    type Value = i64;
    type Error = Fault;

    async fn load(&self, keys: &[GroupCountOf]) -> Result<HashMap<GroupCountOf, i64>, Fault> {
        let mut found = HashMap::new();
        for (filter, sessions) in alike(keys.iter().map(|key| (&key.filter, key.session))) {
            let counts = read::count_of_each(&self.database, filter, &sessions).await?;
            let counts = counts.into_iter();
            found.extend(counts.map(|(session, count)| (GroupCountOf { session, filter: Arc::clone(filter) }, count)));
        }
        Ok(found)
    }
}

/// What refers to the group with this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct ReferencesOf(pub Uuid);

impl Loader<ReferencesOf> for Reader {
    type Value = Vec<Reference>;
    type Error = Fault;

    async fn load(&self, groups: &[ReferencesOf]) -> Result<HashMap<ReferencesOf, Vec<Reference>>, Fault> {
        let ids: Vec<Uuid> = groups.iter().map(|group| group.0).collect();
        let found = references::of_groups(&self.database, &ids).await?;
        Ok(found.into_iter().map(|(id, references)| (ReferencesOf(id), references)).collect())
    }
}
