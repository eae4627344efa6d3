//! Snapshot tests of the metrics: types, help texts and label values, without the numbers.

use api::metrics::Tick;
use chrono::DateTime;
use serde_json::json;

use super::{UNKNOWN, assert_snapshot};
use crate::http::app::{TestApp, json_post, request};
use crate::support::{TestDb, on_both};

on_both!(Adopted: names_and_labels_of_metrics);

async fn names_and_labels_of_metrics(db: TestDb) {
    let app = TestApp::over(db).await;
    app.state.metrics().record_tick(DateTime::from_timestamp(1, 0).unwrap(), Tick::Started);
    app.post("query Mine { sessions(first: 1) { totalCount } }", json!({})).await;
    app.post("{ sessions(first: 1) { totalCount } sessionStats { total } }", json!({})).await;
    app.post("{ madeUp }", json!({})).await;
    let missing = format!("mutation {{ deleteSession(input: {{ id: \"{UNKNOWN}\" }}) {{ userErrors {{ code }} }} }}");
    app.post(&missing, json!({})).await;
    app.send(json_post("{")).await;
    for path in ["/health/live", "/health/ready", "/metrics", "/nowhere"] {
        app.send(request("GET", path).body(axum::body::Body::empty()).unwrap()).await;
    }
    app.send(request("MADE-UP", "/graphql").body(axum::body::Body::empty()).unwrap()).await;
    let answer = app.send(request("GET", "/metrics").body(axum::body::Body::empty()).unwrap()).await;
    let mut text = answer.header("content-type").unwrap_or_default().to_owned();
    let mut last = String::new();
    for line in answer.body.lines() {
        let series = if line.starts_with('#') { line } else { line.rsplit_once(' ').unwrap().0 };
        // All bucket bounds of a histogram are on one line.
        match series.split_once("le=\"") {
            Some((buckets, bound)) if last == buckets => {
                text += &format!(" {}", bound.trim_end_matches("\"}"));
            }
            Some((buckets, bound)) => {
                text += &format!("\n{buckets}le=\"…\"}}: {}", bound.trim_end_matches("\"}"));
                buckets.clone_into(&mut last);
            }
            None => text += &format!("{}{series}", if line.starts_with("# HELP") { "\n\n" } else { "\n" }),
        }
    }
    assert_snapshot("metrics", &text);
}
