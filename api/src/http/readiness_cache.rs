//! The readiness of the server, which is queried from the database at most once a second, regardless of the number of
//! probes.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::db::Database;
use crate::graphql::error::error_chain;

/// The timeout of the database's response.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The time for which the result is cached.
const TTL: Duration = Duration::from_secs(1);

/// A cache of the messages that name what the server lacks.
#[derive(Debug, Clone)]
pub(in crate::http) struct ReadinessCache(Cache<(), Arc<Vec<String>>>);

impl Default for ReadinessCache {
    fn default() -> Self {
        Self(Cache::builder().time_to_live(TTL).build())
    }
}

impl ReadinessCache {
    /// Returns the messages that name what the server lacks. The list is empty if the server is ready.
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
        // The server works while only the stale purge is pending, because it changes no table definition.
        Ok(pending) if pending.iter().all(|name| name == migration::STALE_PURGE) => Vec::new(),
        Ok(pending) => {
            vec![format!("Migrations are pending: {}. `session-admin migrate` applies them.", pending.join(", "))]
        }
        Err(error) => {
            tracing::warn!(target: "session_admin::http", error = error_chain(&error), "not ready: the migrations cannot be read");
            vec!["The state of the migrations cannot be read; the log has the cause.".to_owned()]
        }
    }
}
