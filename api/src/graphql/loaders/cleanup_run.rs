//! What is read of the runs on a page, and of the runs of the deletions on a page.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Context;
use async_graphql::dataloader::{DataLoader, Loader};
use uuid::Uuid;

use crate::cleanup::{self, CleanupRun, SkippedSession};
use crate::db::Database;
use crate::db::page::{Page, Slice};
use crate::deletion::{Deletion, trail};
use crate::error::Error;

/// Reads what belongs to runs, all runs of a page with one statement.
pub(in crate::graphql) struct CleanupRunLoader {
    database: Database,
}

impl CleanupRunLoader {
    /// A loader that reads from `database`.
    pub(in crate::graphql) const fn new(database: Database) -> Self {
        Self { database }
    }
}

/// The loader that came with the request.
pub(in crate::graphql) fn loader<'a>(ctx: &Context<'a>) -> Result<&'a DataLoader<CleanupRunLoader>, Error> {
    ctx.data_opt().ok_or_else(|| Error::Unsuitable("The schema was executed without its loaders.".to_owned()))
}

/// The run with this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct RunOf(pub Uuid);

impl Loader<RunOf> for CleanupRunLoader {
    type Value = CleanupRun;
    type Error = Arc<Error>;

    async fn load(&self, runs: &[RunOf]) -> Result<HashMap<RunOf, CleanupRun>, Arc<Error>> {
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

impl Loader<SkippedOf> for CleanupRunLoader {
    type Value = Page<SkippedSession>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[SkippedOf]) -> Result<HashMap<SkippedOf, Page<SkippedSession>>, Arc<Error>> {
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

impl Loader<DeletionsOf> for CleanupRunLoader {
    type Value = Page<Deletion>;
    type Error = Arc<Error>;

    async fn load(&self, keys: &[DeletionsOf]) -> Result<HashMap<DeletionsOf, Page<Deletion>>, Arc<Error>> {
        let mut found = HashMap::new();
        for (slice, runs) in alike(keys.iter().map(|key| (&key.slice, key.run))) {
            let pages = trail::page_of_each_run(&self.database, slice, &runs).await?;
            found.extend(pages.into_iter().map(|(run, page)| (DeletionsOf { run, slice: slice.clone() }, page)));
        }
        Ok(found)
    }
}

/// How many deletions the run with this id has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct DeletionCountOf(pub Uuid);

impl Loader<DeletionCountOf> for CleanupRunLoader {
    type Value = i64;
    type Error = Arc<Error>;

    async fn load(&self, runs: &[DeletionCountOf]) -> Result<HashMap<DeletionCountOf, i64>, Arc<Error>> {
        let ids: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
        let counts = trail::count_of_each_run(&self.database, &ids).await?;
        Ok(counts.into_iter().map(|(run, count)| (DeletionCountOf(run), count)).collect())
    }
}

/// The runs of which the same part is wanted.
fn alike<'a>(wanted: impl Iterator<Item = (&'a Slice, Uuid)>) -> HashMap<&'a Slice, Vec<Uuid>> {
    let mut alike: HashMap<&Slice, Vec<Uuid>> = HashMap::new();
    for (slice, run) in wanted {
        alike.entry(slice).or_default().push(run);
    }
    alike
}
