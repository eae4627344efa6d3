//! The schema and its answers.

mod adopted;
mod cleanup;
mod cleanup_runs;
mod connections;
mod contract;
mod deletion;
mod errors;
mod failures;
mod group;
mod group_list;
mod health;
mod impact;
mod limits;
mod nested;
mod omitted;
mod reading;
mod references;
mod root;
mod rows;
mod schema;
mod session;
mod validation;

use crate::http::app::TestApp;
use crate::support::TestDb;

/// A server over a database whose schema is up to date; the purge of stale sessions has not been made.
async fn mended(db: TestDb) -> TestApp {
    let session = migration::MigrationSession::open(db.url(), "public", || ()).await.unwrap();
    session.apply_before_purge(&mut |_| ()).await.unwrap();
    session.close().await.unwrap();
    TestApp::over(db).await
}
