//! Loaders of the lists of cleanup runs: pages of skipped sessions and of deletions, and their counts.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::reader::{BatchReader, SharedError, group_by_key};
use crate::cleanup::{self, SkippedSession};
use crate::db::pagination::{Page, PageRequest};
use crate::deletion::Deletion;
use crate::deletion::audit::query;

/// The key of a page of the sessions that a run skipped.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct SkippedByRun {
    pub run: Uuid,
    pub slice: PageRequest,
}

impl Loader<SkippedByRun> for BatchReader {
    type Value = Page<SkippedSession>;
    type Error = SharedError;

    async fn load(&self, keys: &[SkippedByRun]) -> Result<HashMap<SkippedByRun, Page<SkippedSession>>, SharedError> {
        let mut loaded = HashMap::new();
        for (slice, runs) in group_by_key(keys.iter().map(|key| (&key.slice, key.run))) {
            let pages = cleanup::find_skipped_of_each(&self.database, slice, &runs).await?;
            loaded.extend(pages.into_iter().map(|(run, page)| (SkippedByRun { run, slice: slice.clone() }, page)));
        }
        Ok(loaded)
    }
}

/// The key of a page of a run's deletions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct DeletionsByRun {
    pub run: Uuid,
    pub slice: PageRequest,
}

impl Loader<DeletionsByRun> for BatchReader {
    type Value = Page<Deletion>;
    type Error = SharedError;

    async fn load(&self, keys: &[DeletionsByRun]) -> Result<HashMap<DeletionsByRun, Page<Deletion>>, SharedError> {
        let mut loaded = HashMap::new();
        for (slice, runs) in group_by_key(keys.iter().map(|key| (&key.slice, key.run))) {
            let pages = query::page_of_each_run(&self.database, slice, &runs).await?;
            loaded.extend(pages.into_iter().map(|(run, page)| (DeletionsByRun { run, slice: slice.clone() }, page)));
        }
        Ok(loaded)
    }
}

/// The key of the number of deletions of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct DeletionCountByRun(pub Uuid);

impl Loader<DeletionCountByRun> for BatchReader {
    type Value = i64;
    type Error = SharedError;

    async fn load(&self, keys: &[DeletionCountByRun]) -> Result<HashMap<DeletionCountByRun, i64>, SharedError> {
        let ids: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
        let counts = query::count_of_each_run(&self.database, &ids).await?;
        Ok(counts.into_iter().map(|(run, count)| (DeletionCountByRun(run), count)).collect())
    }
}
