//! Tests of the queries with which GraphiQL's tabs start.

use api::cleanup::{self, CleanupRequest};
use api::http::Sockets;
use serde_json::{Value, json};

use super::{STARTERS, folder};
use crate::http::app::TestApp;
use crate::http::websocket::{Client, server};
use crate::support::{TestDb, on_both};

on_both!(Adopted: every_starter_is_answered_and_changes_nothing, the_starter_that_watches_tells_of_a_run);

/// Returns the query and the variables of a starter.
fn starter(name: &str) -> (String, Value) {
    let file = |end: &str| folder().join("starters").join(format!("{name}.{end}"));
    let variables = file("json");
    let variables = variables.exists().then(|| std::fs::read_to_string(variables).unwrap());
    let variables = variables.map_or(json!({}), |text| serde_json::from_str(&text).unwrap());
    (std::fs::read_to_string(file("graphql")).unwrap(), variables)
}

async fn every_starter_is_answered_and_changes_nothing(db: TestDb) {
    let app = TestApp::over(db).await;
    for name in STARTERS.iter().filter(|name| **name != "WatchRun") {
        let (query, variables) = starter(name);
        let data = app.data(&query, variables).await;
        let root = data.as_object().unwrap().values().next().unwrap();
        assert!(root.is_object(), "{name}: {data}");
        assert_eq!(root.get("userErrors").unwrap_or(&json!([])), &json!([]), "{name}: {data}");
    }
    assert_eq!(app.db.count("whatsapp_sessions").await, 14);
    assert_eq!(cleanups(&app).await, 0);
}

async fn cleanups(app: &TestApp) -> i64 {
    app.data("{ cleanupRuns { totalCount } }", json!({})).await["cleanupRuns"]["totalCount"].as_i64().unwrap()
}

async fn the_starter_that_watches_tells_of_a_run(db: TestDb) {
    let run = cleanup::create_run(db.database().await, None, &CleanupRequest::default()).await.unwrap().run.unwrap();
    let address = server(db.database().await.clone(), Sockets::default()).await;
    let mut client = Client::begin(address).await;
    let (query, variables) = starter("WatchRun");
    assert_eq!(variables.as_object().unwrap().keys().collect::<Vec<_>>(), ["id"]);
    client.subscribe("watch", &query, json!({ "id": run.id })).await;
    assert_eq!(client.data("watch").await["cleanupRun"]["status"], "QUEUED");
}

#[test]
fn every_file_is_a_tab_of_its_name() {
    let files = std::fs::read_dir(folder().join("starters")).unwrap();
    let mut names: Vec<String> = files
        .filter_map(|file| Some(file.unwrap().file_name().to_str()?.strip_suffix(".graphql")?.to_owned()))
        .collect();
    let mut tabs = STARTERS;
    names.sort();
    tabs.sort_unstable();
    assert_eq!(names, tabs);
    for name in tabs {
        assert!(starter(name).0.contains(&format!(" {name}")), "the tab is named after its operation");
    }
}
