//! Whether the server can do its work. The database is asked once a second, however often a supervisor asks.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::db::Database;
use crate::graphql::error::error_chain;

/// How long the database has for its answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long its answer is cached.
const TTL: Duration = Duration::from_secs(1);

/// The sentences that say what the server lacks, cached for a second.
#[derive(Debug, Clone)]
pub(in crate::http) struct ReadinessCache(Cache<(), Arc<Vec<String>>>);

impl Default for ReadinessCache {
    fn default() -> Self {
        Self(Cache::builder().time_to_live(TTL).build())
    }
}

impl ReadinessCache {
    /// Returns what the server lacks; nothing where it is ready.
    pub(in crate::http) async fn missing_parts(&self, database: &Database) -> Arc<Vec<String>> {
        self.0.get_with((), async { Arc::new(find_missing_parts(database).await) }).await
    }
}

async fn find_missing_parts(database: &Database) -> Vec<String> {
    tokio::time::timeout(TIMEOUT, query_missing_parts(database))
        .await
        .unwrap_or_else(|_| vec![format!("The database has not answered within {} seconds.", TIMEOUT.as_secs())])
}

async fn query_missing_parts(database: &Database) -> Vec<String> {
    let pool = database.pool();
    if let Err(error) = pool.ping().await {
        tracing::warn!(target: "session_admin::http", error = error_chain(&error), "not ready: the database does not answer");
        return vec!["The database cannot be reached.".to_owned()];
    }
    match migration::list_pending(pool).await {
        // A pending purge changes no table's definition.
        Ok(pending) if pending.iter().all(|name| name == migration::STALE_PURGE) => Vec::new(),
        Ok(pending) => {
            vec![format!("Migrations are pending: {}. `session-admin migrate` makes them.", pending.join(", "))]
        }
        Err(error) => {
            tracing::warn!(target: "session_admin::http", error = error_chain(&error), "not ready: the migrations cannot be read");
            vec!["The state of the migrations cannot be read; the log says why.".to_owned()]
        }
    }
}
