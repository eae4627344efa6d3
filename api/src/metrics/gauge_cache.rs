//! Caching the numbers of the database: they are counted rarely, by one task at a time, and a scrape does not wait
//! longer than a few seconds for them.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::database_gauges::DatabaseCounts;
use crate::db::Database;
use crate::schema_health::AcceptedFindings;

/// How long counted numbers are valid.
const MAX_AGE: Duration = Duration::from_mins(1);
/// The validity of numbers as a multiple of the time that counting them took, so that a large database is counted less
/// often.
const MAX_AGE_FACTOR: u32 = 20;
/// The pause before an unavailable database is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// How long a scrape waits for new numbers; Prometheus gives up after ten seconds.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(3);

/// The numbers that were counted last. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct GaugeCache {
    /// The time of the next count. Locked while counting.
    due: Arc<Mutex<Option<Instant>>>,
    last: Arc<RwLock<Option<Arc<DatabaseCounts>>>>,
}

impl GaugeCache {
    /// Returns the numbers of about the last minute, or older ones while counting takes long; none where the database
    /// is unavailable.
    pub(super) async fn load_cached(
        &self,
        db: &Database,
        accepted: &Arc<AcceptedFindings>,
    ) -> Option<Arc<DatabaseCounts>> {
        // In a task of its own, so that the next scrape can use a count that this one does not wait for.
        let counting = tokio::spawn(self.clone().count_if_due(db.clone(), Arc::clone(accepted)));
        if !matches!(tokio::time::timeout(SCRAPE_TIMEOUT, counting).await, Ok(Ok(()))) {
            tracing::warn!(target: "session_admin::metrics", "the metrics have older numbers of what is in the database, since counting takes long");
        }
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn count_if_due(self, db: Database, accepted: Arc<AcceptedFindings>) {
        // Another task is counting.
        let Ok(mut due) = self.due.try_lock() else {
            drop(self.due.lock().await);
            return;
        };
        let began = Instant::now();
        if due.is_some_and(|due| began < due) {
            return;
        }
        let counts = DatabaseCounts::load(&db, &accepted).await;
        let validity = if counts.is_some() { MAX_AGE.max(began.elapsed() * MAX_AGE_FACTOR) } else { RETRY_AFTER };
        *due = Some(Instant::now() + validity);
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = counts.map(Arc::new);
    }
}
