//! Tests that a mutation that violates GraphQL's validation rules, or that a directive skips, deletes nothing.
//! `tests/conformance/` tests the rules themselves.

use api::demo::scenario::SESSIONS;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::migrated_server;
use crate::http::app::{Answer, TestApp, json_post};
use crate::support::{TestDb, on_both};

on_both!(AsBuilt:
    a_directive_goes_by_its_variables_default,
    an_input_field_has_one_value,
);
async fn send_request(app: &TestApp, query: &str, variables: Value) -> Answer {
    let mut request = json_post(&json!({ "query": query, "variables": variables }).to_string());
    request.headers_mut().insert("accept", "application/graphql-response+json".parse().unwrap());
    app.send(request).await
}

/// Asserts that the query is rejected and nothing is executed, and returns the message.
async fn assert_rejected(app: &TestApp, query: &str, variables: Value) -> String {
    let answer = send_request(app, query, variables).await;
    assert_eq!((answer.status, answer.json().get("data")), (StatusCode::BAD_REQUEST, None), "{query}: {}", answer.body);
    let (code, message) = answer.error();
    assert_eq!(code, "BAD_USER_INPUT", "{query}");
    message
}

async fn count_sessions(app: &TestApp) -> i64 {
    app.db.count("whatsapp_sessions").await
}

fn session_id() -> &'static str {
    SESSIONS[0].id
}

async fn a_directive_goes_by_its_variables_default(db: TestDb) {
    let app = migrated_server(db).await;
    let delete = format!("deleteSession(input: {{ id: \"{}\" }})", session_id());
    for query in [
        format!(
            "mutation ($preview: Boolean! = true) {{ {delete} @skip(if: $preview) {{ deletion {{ id }} }} __typename }}"
        ),
        format!(
            "mutation ($really: Boolean = false) {{ {delete} @include(if: $really) {{ deletion {{ id }} }} __typename }}"
        ),
        format!(
            "mutation ($preview: Boolean! = true) {{ ...F @skip(if: $preview) __typename }} \
             fragment F on Mutation {{ {delete} {{ deletion {{ id }} }} }}"
        ),
        format!(
            "mutation M($preview: Boolean! = true) {{ ... @skip(if: $preview) {{ {delete} {{ deletion {{ id }} }} }} __typename }}"
        ),
    ] {
        assert_eq!(app.data(&query, json!({})).await, json!({ "__typename": "Mutation" }), "{query}");
        assert_eq!(count_sessions(&app).await, 14, "{query}");
    }
    let query = "query ($on: Boolean! = true, $off: Boolean = false) { viewer { a: name @include(if: $on) b: name @include(if: $off) } }";
    assert_eq!(app.data(query, json!({})).await, json!({ "viewer": { "a": "tester" } }));
    assert_eq!(app.data(query, json!({ "on": false, "off": true })).await, json!({ "viewer": { "b": "tester" } }));
    let query = format!(
        "mutation ($preview: Boolean! = true) {{ {delete} @skip(if: $preview) {{ deletion {{ id }} userErrors {{ code }} }} }}"
    );
    assert_eq!(app.data(&query, json!({ "preview": false })).await["deleteSession"]["userErrors"], json!([]));
    assert_eq!(count_sessions(&app).await, 13);
}

async fn an_input_field_has_one_value(db: TestDb) {
    let app = migrated_server(db).await;
    for fields in ["dryRun: true, dryRun: false", "dryRun: true, dryRun: true", "options: { a: 1 }"] {
        let query = format!(
            "mutation {{ deleteSession(input: {{ id: \"{}\", {fields} }}) {{ deletion {{ id }} }} }}",
            session_id()
        );
        assert_rejected(&app, &query, json!({})).await;
    }
    let nested = "mutation { cleanUpSessions(input: { dryRun: false, criteria: { statuses: [], statuses: [CONNECTED] } }) { run { id } } }";
    assert_eq!(assert_rejected(&app, nested, json!({})).await, "Object with multiple entries for field statuses.");
    assert_eq!(
        (count_sessions(&app).await, app.db.count(&app.db.dialect().internal_table("cleanup_runs")).await),
        (14, 0)
    );
    let distinct =
        "query ($from: Int = 1) { sessions(first: $from, filter: { search: \"\", statuses: [] }) { totalCount } }";
    assert_eq!(app.data(distinct, json!({})).await, json!({ "sessions": { "totalCount": 0 } }));
}
