//! Waiting, until the workers are told to stop.

use std::time::Duration;

use tokio::sync::watch;

use crate::db::Database;

/// Waits, but not longer than until the workers are to stop. Says whether they are.
pub(super) async fn pause(stopping: &watch::Receiver<bool>, length: Duration) -> bool {
    tokio::time::timeout(length, stopped(stopping.clone())).await.is_ok()
}

/// Ready when the workers are to stop.
pub(super) async fn stopped(mut stopping: watch::Receiver<bool>) {
    // Nobody is left to say stop: then it is over.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// How long until the tables are looked for again.
const UNTIL_MIGRATED: Duration = Duration::from_secs(1);

/// Waits for this program's own tables: `serve --demo` begins without them. False where the workers are to stop before.
pub(super) async fn migrated(db: &Database, stopping: &watch::Receiver<bool>) -> bool {
    while !is_migrated(db).await {
        if pause(stopping, UNTIL_MIGRATED).await {
            return false;
        }
    }
    true
}

/// Whether this program's own tables are there. A purge that is pending changes nothing about them.
async fn is_migrated(db: &Database) -> bool {
    let pending = migration::list_pending(db.pool()).await;
    pending.is_ok_and(|pending| pending.iter().all(|name| name == migration::STALE_PURGE))
}
