//! Whoever makes up tokens hurts nobody who has one.

use std::time::Duration;

use api::access::Role;
use api::db::{Database, DatabaseSettings};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{ask, token};
use crate::http::app::TestApp;
use crate::http::limits::slow_down;
use crate::support::{TestDb, both};

both!(Adopted: wrong_tokens_leave_connections_for_others);

async fn wrong_tokens_leave_connections_for_others(db: TestDb) {
    let good = token(&db, "good", Role::Viewer).await;
    let settings = DatabaseSettings { max_connections: 4, ..db.settings() };
    let app = TestApp::with(db.clone(), Database::connect(settings).await.unwrap());
    let count = async || {
        let asked = Instant::now();
        let answer = ask(&app, Some(good.expose()), "{ sessions(first: 1) { totalCount } }", json!({})).await;
        assert_eq!(answer.json()["data"]["sessions"]["totalCount"], 14);
        asked.elapsed()
    };
    count().await;
    // Each look at one that is not known takes seconds.
    slow_down(&db, "tokens").await;
    let wrong: Vec<_> = (0..8).map(|n| format!("sadm_{}A", n.to_string().repeat(42))).collect();
    let flood = wrong.iter().map(|shown| ask(&app, Some(shown), "{ __typename }", json!({})));
    let others = async {
        sleep(Duration::from_millis(500)).await;
        count().await
    };
    let took = tokio::select! {
        answers = futures_util::future::join_all(flood) => panic!("{} answers", answers.len()),
        took = others => took,
    };
    assert!(took < Duration::from_secs(2), "{took:?}");
}
