//! Tests that a forbidden operation changes nothing, and neither do the other fields of its request.

use api::auth::Role;
use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{app, count_rows, create_token, send_query};
use crate::http::app::request;
use crate::http::websocket::{Client, serving};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_forbidden_operation_does_nothing,
    nothing_runs_of_an_operation_that_asks_for_something_forbidden_too,
    what_was_done_is_recorded_under_the_tokens_name,
    over_a_socket_roles_hold_too,
);

const STALE: &str = "303d5044-0000-4000-8000-000000000001";
const OTHER: &str = "07e810ce-0000-4000-8000-000000000002";

async fn a_forbidden_operation_does_nothing(db: TestDb) {
    let viewer = create_token(&db, "viewer", Role::Viewer).await;
    let app = app(db.clone(), None).await;
    let before = count_rows(&db).await;
    for query in [
        "mutation M($id: ID!) { deleteSession(input: { id: $id }) { deletion { id } } }",
        "mutation M($id: ID!) { a: deleteSession(input: { id: $id, dryRun: true }) { impact { rowsDeleted } } }",
        "mutation M($id: ID!) { ...F } fragment F on Mutation { ...G } \
         fragment G on Mutation { ... { deleteSession(input: { id: $id }) { deletion { id } } } }",
        "mutation M($id: ID!, $no: Boolean! = true) { deleteSession(input: { id: $id }) @skip(if: $no) { deletion { id } } }",
        "mutation M($id: ID!) { ...F } fragment F on Mutation { deleteSession(input: { id: $id }) { deletion { id } } ...N ...N }",
        "mutation { cleanUpSessions(input: { dryRun: false }) { run { id } } }",
        "mutation { cleanUpSessions(input: {}) { run { id } } }",
    ] {
        let answer = send_query(&app, Some(viewer.expose()), query, json!({ "id": STALE })).await;
        assert_eq!((answer.status, answer.error().0.as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"), "{query}");
        assert!(answer.error().1.contains("needs the role OPERATOR, and viewer has VIEWER."), "{}", answer.body);
    }
    // A plain JSON response has the same status, because authorization is reported over HTTP too.
    let body = json!({ "query": "mutation { cleanUpSessions(input: {}) { run { id } } }" }).to_string();
    let plain = request("POST", "/graphql")
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {}", viewer.expose()));
    let answer = app.send(plain.body(Body::from(body)).unwrap()).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    assert_eq!(count_rows(&db).await, before);
    let metrics = request("GET", "/metrics").header("authorization", format!("Bearer {}", viewer.expose()));
    let metrics_text = app.send(metrics.body(Body::empty()).unwrap()).await.body;
    let expected_line =
        "session_admin_operations_total{code=\"FORBIDDEN\",field=\"cleanUpSessions\",kind=\"mutation\"} 3\n";
    assert!(metrics_text.contains(expected_line), "{metrics_text}");
    // An unknown field is a client error for every role.
    let answer = send_query(&app, Some(viewer.expose()), "mutation { dropEverything }", json!({})).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"));
}

async fn nothing_runs_of_an_operation_that_asks_for_something_forbidden_too(db: TestDb) {
    let operator = create_token(&db, "operator", Role::Operator).await;
    let app = app(db.clone(), None).await;
    let before = count_rows(&db).await;
    let query = "mutation M($id: ID!) { deleteSession(input: { id: $id }) { deletion { id } } \
                 eraseDeletionArchive(input: { id: $id }) { deletion { id } } }";
    let answer = send_query(&app, Some(operator.expose()), query, json!({ "id": STALE })).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    assert_eq!(count_rows(&db).await, before);
    // Only the selected operation of a document is executed and checked.
    let both = "mutation Erase($id: ID!) { eraseDeletionArchive(input: { id: $id }) { deletion { id } } } \
                mutation Delete($id: ID!) { deleteSession(input: { id: $id }) { deletion { id } userErrors { code } } }";
    let named = |name: &str| {
        let body = json!({ "query": both, "operationName": name, "variables": { "id": STALE } }).to_string();
        let request = request("POST", "/graphql")
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", operator.expose()));
        request.body(Body::from(body)).unwrap()
    };
    assert_eq!(app.send(named("Erase")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(count_rows(&db).await, before);
    let answer = app.send(named("Delete")).await.json();
    assert!(answer["data"]["deleteSession"]["deletion"]["id"].is_string(), "{answer:#}");
}

async fn what_was_done_is_recorded_under_the_tokens_name(db: TestDb) {
    let (operator, admin) =
        (create_token(&db, "night shift", Role::Operator).await, create_token(&db, "boss", Role::Admin).await);
    let app = app(db.clone(), None).await;
    let delete = "mutation M($id: ID!) { deleteSession(input: { id: $id, idempotencyKey: \"k\" }) { \
                  deletion { id deletedBy } userErrors { code } } }";
    let deleted = async |token: &str, id: &str| {
        let answer = send_query(&app, Some(token), delete, json!({ "id": id })).await.json();
        answer["data"]["deleteSession"]["deletion"].clone()
    };
    let first = deleted(operator.expose(), STALE).await;
    assert_eq!(first["deletedBy"], "night shift");
    // Idempotency keys are scoped to a principal.
    let second = deleted(admin.expose(), OTHER).await;
    assert_eq!(second["deletedBy"], "boss");
    let erase = "mutation M($id: ID!) { eraseDeletionArchive(input: { id: $id }) { deletion { status erasedBy } } }";
    let answer = send_query(&app, Some(operator.expose()), erase, json!({ "id": first["id"] })).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    let answer = send_query(&app, Some(admin.expose()), erase, json!({ "id": first["id"] })).await.json();
    let erased = &answer["data"]["eraseDeletionArchive"]["deletion"];
    assert_eq!(erased, &json!({ "status": "ERASED", "erasedBy": "boss" }), "{answer:#}");
}

async fn over_a_socket_roles_hold_too(db: TestDb) {
    let viewer = create_token(&db, "viewer", Role::Viewer).await;
    let address = serving(super::state(&db, None).await).await;
    let before = count_rows(&db).await;
    let mut client = Client::open(address).await;
    client.init(Some(json!({ "AUTHORIZATION": format!("bearer {}", viewer.expose()) }))).await;
    assert_eq!(client.hear().await, json!({ "type": "connection_ack" }));
    let query = "mutation M($id: ID!) { deleteSession(input: { id: $id }) { deletion { id } } }";
    client.subscribe("1", query, json!({ "id": STALE })).await;
    let answer = client.hear().await;
    assert_eq!((&answer["type"], &answer["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("FORBIDDEN")));
    assert_eq!(count_rows(&db).await, before);
    client.subscribe("2", "{ viewer { name } }", json!({})).await;
    assert_eq!(client.data("2").await, json!({ "viewer": { "name": "viewer" } }));
    assert_ne!(answer, Value::Null);
}
