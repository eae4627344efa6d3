//! Tests of the health endpoints for supervisors.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use super::app::{Answer, TestApp};
use crate::support::{Contents, TestDb, on_both};

async fn get(app: &TestApp, path: &str) -> Answer {
    app.send(Request::builder().uri(path).header("host", "10.0.0.7:8080").body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_process_that_answers_lives_by_whatever_name_it_is_asked() {
    let answer = get(&TestApp::without_data().await, "/health/live").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "ok\n"));
}

#[tokio::test]
async fn a_database_that_does_not_answer_makes_it_not_ready() {
    let db = TestDb::sqlite(Contents::Empty).await;
    let app = TestApp::over(db.clone()).await;
    db.database().await.clone().close().await.unwrap();
    let answer = get(&app, "/health/ready").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json(), json!({ "ready": false, "missing": ["The database cannot be reached."] }));
}

on_both!(AsBuilt:
    a_database_with_pending_migrations_is_not_ready_until_they_are_made,
    the_database_is_asked_once_a_second_however_often_it_is_asked_for,
);

async fn the_database_is_asked_once_a_second_however_often_it_is_asked_for(db: TestDb) {
    let (database, statements) = db.counted().await;
    let app = TestApp::with(db.clone(), database);
    get(&app, "/health/ready").await;
    assert!(!statements.take().is_empty());
    for _ in 0..20 {
        get(&app, "/health/ready").await;
    }
    assert!(statements.take().is_empty());
}

async fn a_database_with_pending_migrations_is_not_ready_until_they_are_made(db: TestDb) {
    let session = migration::MigrationSession::open(db.url(), "public", || ()).await.unwrap();
    let app = TestApp::over(db).await;
    let answer = get(&app, "/health/ready").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let missing = answer.json()["missing"][0].as_str().unwrap().to_owned();
    assert!(missing.starts_with("Migrations are pending: m20260101_000001_internal_tables, "), "{missing}");
    assert!(missing.ends_with(" `session-admin migrate` applies them."), "{missing}");
    // The purge of stale sessions stays pending. The server does not require it.
    session.apply_before_purge(&mut |_| ()).await.unwrap();
    session.close().await.unwrap();
    // Waits until the cached result of the check has expired.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let answer = get(&app, "/health/ready").await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "ready": true, "missing": [] })));
}
