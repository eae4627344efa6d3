//! Functions that wait for the stop signal of the workers, for a duration, or for the migrations.

use std::time::Duration;

use tokio::sync::watch;

use crate::db::Database;

/// Sleeps for the duration, or until the stop signal of the workers. Returns whether the stop signal was received.
pub(super) async fn sleep_unless_stopped(stopping: &watch::Receiver<bool>, duration: Duration) -> bool {
    tokio::time::timeout(duration, wait_until_stopped(stopping.clone())).await.is_ok()
}

/// Waits for the stop signal of the workers.
pub(super) async fn wait_until_stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender was dropped, which also stops the workers.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// The time between two checks for the internal tables.
const MIGRATION_INTERVAL: Duration = Duration::from_secs(1);

/// Waits until the internal tables exist, since `serve --demo` starts without them. Returns false if the stop
/// signal is received first.
pub(super) async fn wait_until_migrated(db: &Database, stopping: &watch::Receiver<bool>) -> bool {
    while !is_migrated(db).await {
        if sleep_unless_stopped(stopping, MIGRATION_INTERVAL).await {
            return false;
        }
    }
    true
}

/// Returns whether the internal tables are up to date. A pending purge does not change them.
async fn is_migrated(db: &Database) -> bool {
    let pending = migration::list_pending(db.pool()).await;
    pending.is_ok_and(|pending| pending.iter().all(|name| name == migration::STALE_PURGE))
}
