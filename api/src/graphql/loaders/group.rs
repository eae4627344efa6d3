//! Loaders of groups: pages of a session's groups, their counts, and the rows that refer to a group.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::reader::{BatchReader, SharedError, group_by_key};
use crate::db::pagination::{Page, Projection};
use crate::group::queries;
use crate::group::queries::GroupPageRequest;
use crate::group::reference_counts;
use crate::group::reference_counts::ReferenceCount;
use crate::group::{Group, GroupFilter};

/// The key of a page of a session's groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::graphql) struct GroupsBySession {
    pub session: Uuid,
    pub part: Arc<GroupPageRequest>,
    /// The columns that this field of the query does not need. Other fields that load the same page may need them.
    pub unasked: Projection,
}

/// Hashes the session only: it distinguishes most keys, and the data loader hashes each key many times.
impl Hash for GroupsBySession {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.session.hash(state);
    }
}

impl Loader<GroupsBySession> for BatchReader {
    /// The page is shared because the data loader clones values.
    type Value = Arc<Page<Group>>;
    type Error = SharedError;

    /// Reads the pages of all sessions that request the same part of their groups with one statement.
    async fn load(&self, keys: &[GroupsBySession]) -> Result<HashMap<GroupsBySession, Arc<Page<Group>>>, SharedError> {
        let mut loaded = HashMap::new();
        for (part, keys) in group_by_key(keys.iter().map(|key| (&key.part, key))) {
            let mut part = GroupPageRequest::clone(part);
            part.slice.unasked = keys
                .iter()
                .map(|key| key.unasked.clone())
                .reduce(|first, second| first.and(&second))
                .unwrap_or_default();
            let sessions: HashSet<Uuid> = keys.iter().map(|key| key.session).collect();
            let sessions: Vec<Uuid> = sessions.into_iter().collect();
            let pages = queries::page_of_each(&self.database, &part, &sessions).await?;
            let pages: HashMap<Uuid, Arc<Page<Group>>> =
                pages.into_iter().map(|(session, page)| (session, Arc::new(page))).collect();
            loaded.extend(keys.iter().filter_map(|&key| Some((key.clone(), Arc::clone(pages.get(&key.session)?)))));
        }
        Ok(loaded)
    }
}

/// The key of the number of a session's groups that match a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::graphql) struct GroupCountBySession {
    pub session: Uuid,
    pub filter: Arc<GroupFilter>,
}

/// Hashes the session only: it distinguishes most keys, and the data loader hashes each key many times.
impl Hash for GroupCountBySession {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.session.hash(state);
    }
}

impl Loader<GroupCountBySession> for BatchReader {
    type Value = i64;
    type Error = SharedError;

    async fn load(&self, keys: &[GroupCountBySession]) -> Result<HashMap<GroupCountBySession, i64>, SharedError> {
        let mut loaded = HashMap::new();
        for (filter, sessions) in group_by_key(keys.iter().map(|key| (&key.filter, key.session))) {
            let counts = queries::count_of_each(&self.database, filter, &sessions).await?.into_iter();
            let key = |session| GroupCountBySession { session, filter: Arc::clone(filter) };
            loaded.extend(counts.map(|(session, count)| (key(session), count)));
        }
        Ok(loaded)
    }
}

/// The key of the rows that refer to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct ReferencesByGroup(pub Uuid);

impl Loader<ReferencesByGroup> for BatchReader {
    type Value = Vec<ReferenceCount>;
    type Error = SharedError;

    async fn load(
        &self,
        keys: &[ReferencesByGroup],
    ) -> Result<HashMap<ReferencesByGroup, Vec<ReferenceCount>>, SharedError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let references = reference_counts::count_references(&self.database, &ids).await?;
        Ok(references.into_iter().map(|(id, references)| (ReferencesByGroup(id), references)).collect())
    }
}
