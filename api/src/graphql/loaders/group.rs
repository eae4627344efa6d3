//! What is read of the groups on a page, and of the groups of the sessions on a page.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::{Fault, Reader};
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
    /// Shared, since the library copies what it hands out.
    type Value = Arc<Page<Group>>;
    type Error = Fault;

    /// One statement for all sessions of which the same part is wanted.
    async fn load(&self, keys: &[GroupsOf]) -> Result<HashMap<GroupsOf, Arc<Page<Group>>>, Fault> {
        let mut found = HashMap::new();
        for (part, sessions) in alike(keys.iter().map(|key| (&key.part, key.session))) {
            let pages = read::page_of_each(&self.database, part, &sessions).await?;
            let pages = pages.into_iter();
            found.extend(pages.map(|(session, page)| (GroupsOf { session, part: Arc::clone(part) }, Arc::new(page))));
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

/// The sessions of which the same is wanted.
fn alike<'a, T: Eq + std::hash::Hash>(
    wanted: impl Iterator<Item = (&'a Arc<T>, Uuid)>,
) -> HashMap<&'a Arc<T>, Vec<Uuid>> {
    let mut alike: HashMap<&Arc<T>, Vec<Uuid>> = HashMap::new();
    for (what, session) in wanted {
        alike.entry(what).or_default().push(session);
    }
    alike
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
