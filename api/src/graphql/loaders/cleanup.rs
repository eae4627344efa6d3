//! What is read of the runs on a page, and of the runs of the deletions on a page.

use std::collections::HashMap;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use super::{Fault, Reader, alike};
use crate::cleanup::{self, CleanupRun, SkippedSession};
use crate::db::pagination::{Page, Slice};
use crate::deletion::Deletion;
use crate::deletion::audit::query;

/// The run with this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct RunOf(pub Uuid);

impl Loader<RunOf> for Reader {
    type Value = CleanupRun;
    type Error = Fault;

    async fn load(&self, runs: &[RunOf]) -> Result<HashMap<RunOf, CleanupRun>, Fault> {
        let ids: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
        let found = cleanup::find_many(self.database.pool(), &self.database, &ids).await?;
        Ok(found.into_iter().map(|run| (RunOf(run.id), run)).collect())
    }
}

/// A part of the sessions that a run left.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct SkippedOf {
    pub run: Uuid,
    pub slice: Slice,
}

impl Loader<SkippedOf> for Reader {
    type Value = Page<SkippedSession>;
    type Error = Fault;

    async fn load(&self, keys: &[SkippedOf]) -> Result<HashMap<SkippedOf, Page<SkippedSession>>, Fault> {
        let mut found = HashMap::new();
        for (slice, runs) in alike(keys.iter().map(|key| (&key.slice, key.run))) {
            let pages = cleanup::skipped_of_each(&self.database, slice, &runs).await?;
            found.extend(pages.into_iter().map(|(run, page)| (SkippedOf { run, slice: slice.clone() }, page)));
        }
        Ok(found)
    }
}

/// A part of the deletions of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct DeletionsOf {
    pub run: Uuid,
    pub slice: Slice,
}

impl Loader<DeletionsOf> for Reader {
    type Value = Page<Deletion>;
    type Error = Fault;

    async fn load(&self, keys: &[DeletionsOf]) -> Result<HashMap<DeletionsOf, Page<Deletion>>, Fault> {
        let mut found = HashMap::new();
        for (slice, runs) in alike(keys.iter().map(|key| (&key.slice, key.run))) {
            let pages = query::page_of_each_run(&self.database, slice, &runs).await?;
            found.extend(pages.into_iter().map(|(run, page)| (DeletionsOf { run, slice: slice.clone() }, page)));
        }
        Ok(found)
    }
}

/// How many deletions the run with this id has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct DeletionCountOf(pub Uuid);

impl Loader<DeletionCountOf> for Reader {
    type Value = i64;
    type Error = Fault;

    async fn load(&self, runs: &[DeletionCountOf]) -> Result<HashMap<DeletionCountOf, i64>, Fault> {
        let ids: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
        let counts = query::count_of_each_run(&self.database, &ids).await?;
        Ok(counts.into_iter().map(|(run, count)| (DeletionCountOf(run), count)).collect())
    }
}
