//! Tests of the GraphQL field `Session.gateway`.

use std::time::Duration;

use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use super::{Server, id, unreachable_gateway, with_status};
use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(Mended:
    a_page_of_sessions_is_asked_about_in_parallel,
    without_a_gateway_the_field_is_null,
    whatever_the_gateway_does_is_an_answer,
    a_session_is_asked_about_once_however_often_it_is_asked_for,
);

const PAGE: &str = "query Q($first: Int) { sessions(first: $first, orderBy: { field: NAME, direction: ASC }) {
    nodes { id name gateway { state detail checkedAt } } } }";

async fn fetch_states(app: &TestApp) -> Vec<(String, String)> {
    let data = app.data(PAGE, json!({ "first": 100 })).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let nodes = data["sessions"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| (text(&node["id"]), text(&node["gateway"]["state"]))).collect()
}

async fn a_page_of_sessions_is_asked_about_in_parallel(db: TestDb) {
    let server = Server::new(async |request| {
        tokio::time::sleep(Duration::from_millis(100)).await;
        match request.session() {
            session if session == id(0) => with_status(404, ""),
            session if session == id(1) => with_status(500, ""),
            session if session == id(2) => "nonsense".into_response(),
            session if session == id(3) => "{\"status\":\"SCAN_QR_CODE\"}".into_response(),
            _ => "{\"status\":\"WORKING\"}".into_response(),
        }
    });
    let app = TestApp::with_gateway(db, server.gateway()).await;
    let states = fetch_states(&app).await;
    assert_eq!(states.len(), 14);
    for (session, state) in states {
        let expected = match () {
            () if session == id(0).to_string() => "NOT_FOUND",
            () if session == id(1).to_string() => "UNREACHABLE",
            () if session == id(2).to_string() => "UNKNOWN",
            () if session == id(3).to_string() => "QR_PENDING",
            () => "CONNECTED",
        };
        assert_eq!(state, expected, "{session}");
    }
    assert_eq!(server.requests().len(), 14);
    assert!(server.max_concurrent_requests() > 7, "{}", server.max_concurrent_requests());
}

async fn without_a_gateway_the_field_is_null(db: TestDb) {
    let app = TestApp::over(db).await;
    let data = app.data(PAGE, json!({ "first": 2 })).await;
    let nodes = data["sessions"]["nodes"].as_array().unwrap();
    assert!(nodes.len() == 2 && nodes.iter().all(|node| node["gateway"].is_null()), "{data}");
}

async fn whatever_the_gateway_does_is_an_answer(db: TestDb) {
    let app = TestApp::with_gateway(db, unreachable_gateway()).await;
    let data = app.data(PAGE, json!({ "first": 1 })).await;
    let gateway = &data["sessions"]["nodes"][0]["gateway"];
    assert_eq!(gateway["state"], "UNREACHABLE");
    assert!(gateway["detail"].as_str().unwrap().starts_with("The gateway cannot be reached"), "{gateway}");
    assert!(!data.to_string().contains("hunter2"), "{data}");
}

async fn a_session_is_asked_about_once_however_often_it_is_asked_for(db: TestDb) {
    let server = Server::with_answer(json!({ "status": "WORKING" }));
    let app = TestApp::with_gateway(db, server.gateway()).await;
    let query = "query Q($id: ID!) { a: session(id: $id) { gateway { state checkedAt detail } }
        b: node(id: $id) { ... on Session { one: gateway { state } two: gateway { checkedAt } } } }";
    let data = app.data(query, json!({ "id": id(0) })).await;
    assert_eq!(data["a"]["gateway"]["state"], "CONNECTED");
    assert_eq!((&data["a"]["gateway"]["detail"], &data["b"]["one"]["state"]), (&Value::Null, &json!("CONNECTED")));
    assert_eq!(data["a"]["gateway"]["checkedAt"], data["b"]["two"]["checkedAt"]);
    app.data(query, json!({ "id": id(0) })).await;
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn asking_has_its_cost() {
    let app = TestApp::without_data().await;
    let fields: String = (0..25).map(|n| format!("g{n}: gateway {{ state }} ")).collect();
    let (code, message) = app.error(&format!("{{ sessions(first: 100) {{ nodes {{ {fields} }} }} }}"), json!({})).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX", "{message}");
}
