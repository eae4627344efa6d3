//! When the database is asked for its numbers: seldom, by one at a time, and never for longer than whoever reads the
//! numbers waits.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::database_gauges::Stored;
use crate::db::Database;
use crate::schema_health::Accepted;

/// How long numbers are told again before they are counted anew.
const KEPT: Duration = Duration::from_mins(1);
/// The part of the time that counting may take: on a large database it is done the less often, the longer it takes.
const SHARE: u32 = 20;
/// How long a database that did not answer is left alone.
const PAUSE: Duration = Duration::from_secs(10);
/// How long whoever reads the numbers waits for those of the database; Prometheus gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// The numbers that were counted last.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    /// When they are counted again. Held while that is done.
    due: Arc<Mutex<Option<Instant>>>,
    last: Arc<RwLock<Option<Arc<Stored>>>>,
}

impl Counted {
    /// The numbers of the last minute or so; older ones while counting takes long, and none where the database did not
    /// answer.
    pub(super) async fn recent(&self, db: &Database, accepted: &Arc<Accepted>) -> Option<Arc<Stored>> {
        // In a task of its own, so that what has been begun is of use to the next one who asks.
        let counting = tokio::spawn(self.clone().count_if_due(db.clone(), Arc::clone(accepted)));
        if !matches!(tokio::time::timeout(PATIENCE, counting).await, Ok(Ok(()))) {
            tracing::warn!("the metrics have older numbers of what is in the database, since counting takes long");
        }
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn count_if_due(self, db: Database, accepted: Arc<Accepted>) {
        // Somebody is counting.
        let Ok(mut due) = self.due.try_lock() else {
            drop(self.due.lock().await);
            return;
        };
        let began = Instant::now();
        if due.is_some_and(|due| began < due) {
            return;
        }
        let stored = Stored::read(&db, &accepted).await;
        let pause = if stored.is_some() { KEPT.max(began.elapsed() * SHARE) } else { PAUSE };
        *due = Some(Instant::now() + pause);
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = stored.map(Arc::new);
    }
}
