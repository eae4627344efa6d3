//! Requests whose client goes away before the answer.

use std::time::Duration;

use api::db::{Database, DatabaseSettings};
use sea_orm::ConnectionTrait as _;

use crate::support::{TestDb, on_both};

on_both!(Empty: a_snapshot_that_nobody_waits_for_leaves_the_connection_as_it_was);

async fn a_snapshot_that_nobody_waits_for_leaves_the_connection_as_it_was(db: TestDb) {
    // One connection, so that whoever comes next has the same.
    let database = Database::connect(DatabaseSettings { max_connections: 1, ..db.settings() }).await.unwrap();
    for step in 0..100 {
        let patience = Duration::from_micros(20 * step);
        let _ = tokio::time::timeout(patience, database.snapshot()).await;
        database.pool().execute_unprepared("SELECT 1").await.unwrap();
        // Within a transaction in which something has been read none that sees one moment can begin.
        let next = database.snapshot().await;
        next.unwrap_or_else(|error| panic!("left after {patience:?}: {error:?}")).rollback().await.unwrap();
    }
}
