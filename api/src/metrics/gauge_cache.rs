//! A cache of the metrics that are counted in the database, at most once a minute and by one task at a time.
//!
//! A scrape waits at most a few seconds for a new count.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::database_gauges::DatabaseCounts;
use crate::db::Database;
use crate::schema_health::AcceptedFindings;

/// The minimum validity of a count.
const MAX_AGE: Duration = Duration::from_mins(1);
/// The minimum validity of a count as a multiple of its duration. A large database is therefore counted less often.
const MAX_AGE_FACTOR: u32 = 20;
/// The delay before the next count if the database was unavailable.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// The maximum time that a scrape waits for a new count. The default timeout of a Prometheus scrape is ten seconds.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(3);

/// The result of the last count, and the time of the next one. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct GaugeCache {
    /// The time of the next count. The mutex is locked during a count.
    due: Arc<Mutex<Option<Instant>>>,
    last: Arc<RwLock<Option<Arc<DatabaseCounts>>>>,
}

impl GaugeCache {
    /// Returns the last count, after starting a new one if it is due.
    ///
    /// The returned count is at most about one minute old, or older if counting takes long. Returns `None` if the
    /// database was unavailable at the last count.
    pub(super) async fn load_cached(
        &self,
        db: &Database,
        accepted: &Arc<AcceptedFindings>,
    ) -> Option<Arc<DatabaseCounts>> {
        // The count runs in a separate task, so that it continues after this scrape has timed out.
        let counting = tokio::spawn(self.clone().count_if_due(db.clone(), Arc::clone(accepted)));
        if !matches!(tokio::time::timeout(SCRAPE_TIMEOUT, counting).await, Ok(Ok(()))) {
            tracing::warn!(target: "session_admin::metrics", "the metrics have older counts from the database, because counting takes long");
        }
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn count_if_due(self, db: Database, accepted: Arc<AcceptedFindings>) {
        // Another task is counting, so this one only waits for it.
        let Ok(mut due) = self.due.try_lock() else {
            drop(self.due.lock().await);
            return;
        };
        let started_at = Instant::now();
        if due.is_some_and(|due| started_at < due) {
            return;
        }
        let counts = DatabaseCounts::load(&db, &accepted).await;
        let validity = if counts.is_some() { MAX_AGE.max(started_at.elapsed() * MAX_AGE_FACTOR) } else { RETRY_AFTER };
        *due = Some(Instant::now() + validity);
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = counts.map(Arc::new);
    }
}
