//! Tests of the GraphQL schema and its responses.

mod adopted_columns;
mod cleanup;
mod cleanup_runs;
mod connections;
mod deletion;
mod errors;
mod failed_fields;
mod group;
mod group_list;
mod health;
mod impact;
mod limits;
mod nested_pages;
mod omitted_variables;
mod references;
mod root_permits;
mod root_queries;
mod row_list;
mod schema;
mod session;
mod validation;

use crate::http::app::TestApp;
use crate::support::TestDb;

/// Returns a server over a database whose schema is up to date. The purge of stale sessions has not been applied.
async fn migrated_server(db: TestDb) -> TestApp {
    let session = migration::MigrationSession::open(db.url(), "public", || ()).await.unwrap();
    session.apply_before_purge(&mut |_| ()).await.unwrap();
    session.close().await.unwrap();
    TestApp::over(db).await
}
