//! Tests that requests with invalid tokens do not slow down those with valid tokens.

use std::time::Duration;

use api::auth::Role;
use api::db::{Database, DatabaseSettings};
use axum::body::Body;
use axum::http::StatusCode;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{CACHE_TTL, app, create_token, query_viewer, send_query};
use crate::http::app::{TestApp, request};
use crate::http::limits::slow_down;
use crate::support::{TestDb, on_both};

on_both!(Adopted: wrong_tokens_leave_connections_for_others, the_metrics_do_not_wait_for_tokens_to_be_looked_up);

async fn wrong_tokens_leave_connections_for_others(db: TestDb) {
    let good = create_token(&db, "good", Role::Viewer).await;
    let settings = DatabaseSettings { max_connections: 4, ..db.settings() };
    let app = TestApp::with(db.clone(), Database::connect(settings).await.unwrap());
    let count = async || {
        let sent = Instant::now();
        let answer = send_query(&app, Some(good.expose()), "{ sessions(first: 1) { totalCount } }", json!({})).await;
        assert_eq!(answer.json()["data"]["sessions"]["totalCount"], 14);
        sent.elapsed()
    };
    count().await;
    // Looking up an unknown token takes seconds.
    slow_down(&db, "tokens").await;
    let wrong: Vec<_> = (0..8).map(|n| format!("sadm_{}A", n.to_string().repeat(42))).collect();
    let flood = wrong.iter().map(|token| send_query(&app, Some(token), "{ __typename }", json!({})));
    let others = async {
        sleep(Duration::from_millis(500)).await;
        count().await
    };
    let elapsed = tokio::select! {
        answers = futures_util::future::join_all(flood) => panic!("{} answers", answers.len()),
        elapsed = others => elapsed,
    };
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
}

async fn the_metrics_do_not_wait_for_tokens_to_be_looked_up(db: TestDb) {
    let good = create_token(&db, "good", Role::Viewer).await;
    let app = app(db.clone(), None).await;
    query_viewer(&app, good.expose()).await;
    slow_down(&db, "tokens").await;
    sleep(2 * CACHE_TTL).await;
    let sent = Instant::now();
    let metrics = request("GET", "/metrics").header("authorization", format!("Bearer {}", good.expose()));
    assert_eq!(app.send(metrics.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    assert!(sent.elapsed() < Duration::from_millis(2_500), "{:?}", sent.elapsed());
}
