//! The run of each deletion on a page.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use crate::cleanup::{self, CleanupRun};
use crate::db::Database;
use crate::error::Error;

/// Reads runs, those of all deletions of a page with one statement.
pub(in crate::graphql) struct CleanupRunLoader {
    database: Database,
}

impl CleanupRunLoader {
    /// A loader that reads from `database`.
    pub(in crate::graphql) const fn new(database: Database) -> Self {
        Self { database }
    }
}

impl Loader<Uuid> for CleanupRunLoader {
    type Value = CleanupRun;
    type Error = Arc<Error>;

    async fn load(&self, runs: &[Uuid]) -> Result<HashMap<Uuid, CleanupRun>, Arc<Error>> {
        let found = cleanup::find_many(self.database.pool(), &self.database, runs).await.map_err(Arc::new)?;
        Ok(found.into_iter().map(|run| (run.id, run)).collect())
    }
}
