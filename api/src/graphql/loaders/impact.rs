//! The impact of each session on a page.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use uuid::Uuid;

use crate::db::Database;
use crate::error::Error;
use crate::impact::{self, Impact};

/// Reads impacts, all sessions of a page with one statement.
pub(in crate::graphql) struct ImpactLoader {
    database: Database,
}

impl ImpactLoader {
    /// A loader that reads from `database`.
    pub(in crate::graphql) const fn new(database: Database) -> Self {
        Self { database }
    }
}

impl Loader<Uuid> for ImpactLoader {
    type Value = Impact;
    type Error = Arc<Error>;

    async fn load(&self, sessions: &[Uuid]) -> Result<HashMap<Uuid, Impact>, Arc<Error>> {
        impact::of_each_session(&self.database, sessions).await.map_err(Arc::new)
    }
}
