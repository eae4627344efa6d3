//! What is read of the groups on a page, and of the groups of the sessions on a page.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::{Fault, Reader, alike};
use crate::db::pagination::{Page, Unasked};
use crate::group::queries;
use crate::group::queries::Part;
use crate::group::reference_counts;
use crate::group::reference_counts::Reference;
use crate::group::{Filter, Group};

/// A part of the groups of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::graphql) struct GroupsOf {
    pub session: Uuid,
    pub part: Arc<Part>,
    /// What of these groups one field does not want; another field may.
    pub unasked: Unasked,
}

/// Keys are told apart by their sessions for the most part, and the library computes many a hash of each.
impl Hash for GroupsOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.session.hash(state);
    }
}

impl Loader<GroupsOf> for Reader {
    /// Shared, since the library copies what it hands out.
    type Value = Arc<Page<Group>>;
    type Error = Fault;

    /// One statement for all sessions of which the same part is wanted.
    async fn load(&self, keys: &[GroupsOf]) -> Result<HashMap<GroupsOf, Arc<Page<Group>>>, Fault> {
        let mut found = HashMap::new();
        for (part, keys) in alike(keys.iter().map(|key| (&key.part, key))) {
            let mut part = Part::clone(part);
            part.slice.unasked =
                keys.iter().map(|key| key.unasked.clone()).reduce(|one, other| one.and(&other)).unwrap_or_default();
            let sessions: HashSet<Uuid> = keys.iter().map(|key| key.session).collect();
            let sessions: Vec<Uuid> = sessions.into_iter().collect();
            let pages = queries::page_of_each(&self.database, &part, &sessions).await?;
            let pages: HashMap<Uuid, Arc<Page<Group>>> =
                pages.into_iter().map(|(session, page)| (session, Arc::new(page))).collect();
            found.extend(keys.iter().filter_map(|&key| Some((key.clone(), Arc::clone(pages.get(&key.session)?)))));
        }
        Ok(found)
    }
}

/// How many groups of one session meet a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::graphql) struct GroupCountOf {
    pub session: Uuid,
    pub filter: Arc<Filter>,
}

/// As with [`GroupsOf`].
impl Hash for GroupCountOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.session.hash(state);
    }
}

impl Loader<GroupCountOf> for Reader {
    type Value = i64;
    type Error = Fault;

    async fn load(&self, keys: &[GroupCountOf]) -> Result<HashMap<GroupCountOf, i64>, Fault> {
        let mut found = HashMap::new();
        for (filter, sessions) in alike(keys.iter().map(|key| (&key.filter, key.session))) {
            let counts = queries::count_of_each(&self.database, filter, &sessions).await?;
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
        let found = reference_counts::of_groups(&self.database, &ids).await?;
        Ok(found.into_iter().map(|(id, references)| (ReferencesOf(id), references)).collect())
    }
}
