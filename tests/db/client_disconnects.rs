//! Tests of requests whose client disconnects before the response.

use std::time::Duration;

use api::db::{Database, DatabaseSettings};
use sea_orm::ConnectionTrait as _;

use crate::support::{TestDb, on_both};

on_both!(Empty: a_snapshot_that_nobody_waits_for_leaves_the_connection_as_it_was);

async fn a_snapshot_that_nobody_waits_for_leaves_the_connection_as_it_was(db: TestDb) {
    // With one connection in the pool, the next query uses the same connection.
    let database = Database::connect(DatabaseSettings { max_connections: 1, ..db.settings() }).await.unwrap();
    for step in 0..100 {
        let timeout = Duration::from_micros(20 * step);
        let _ = tokio::time::timeout(timeout, database.snapshot()).await;
        database.pool().execute_unprepared("SELECT 1").await.unwrap();
        // A snapshot cannot begin inside an open transaction, so this fails if the cancelled one left its transaction
        // open.
        let next = database.snapshot().await;
        next.unwrap_or_else(|error| panic!("left after {timeout:?}: {error:?}")).rollback().await.unwrap();
    }
}
