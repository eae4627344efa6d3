//! Waiting until the workers are told to stop.

use std::time::Duration;

use tokio::sync::watch;

use crate::db::Database;

/// Waits for so long, or until the workers are told to stop. Returns whether they are.
pub(super) async fn pause(stopping: &watch::Receiver<bool>, length: Duration) -> bool {
    tokio::time::timeout(length, stopped(stopping.clone())).await.is_ok()
}

/// Waits until the workers are told to stop.
pub(super) async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the sender is dropped: then the workers are to stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// The time between two looks for the internal tables.
const MIGRATION_INTERVAL: Duration = Duration::from_secs(1);

/// Waits for the internal tables, which `serve --demo` begins without. Returns false where the workers are told to stop
/// before.
pub(super) async fn migrated(db: &Database, stopping: &watch::Receiver<bool>) -> bool {
    while !is_migrated(db).await {
        if pause(stopping, MIGRATION_INTERVAL).await {
            return false;
        }
    }
    true
}

/// Whether the internal tables exist. A purge that is pending does not change them.
async fn is_migrated(db: &Database) -> bool {
    let pending = migration::list_pending(db.pool()).await;
    pending.is_ok_and(|pending| pending.iter().all(|name| name == migration::STALE_PURGE))
}
