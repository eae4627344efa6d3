//! Tests of operations over a socket.

use api::http::Sockets;
use serde_json::{Value, json};

use super::{Client, server, without_data};
use crate::support::{Contents, TestDb, on_both};

on_both!(Adopted: queries_and_mutations_are_answered_and_completed);

async fn queries_and_mutations_are_answered_and_completed(db: TestDb) {
    let address = server(db.database().await.clone(), Sockets::default()).await;
    let mut client = Client::begin(address).await;
    let query = "query Q($first: Int) { sessions(first: $first) { totalCount nodes { id groupCount } } }";
    client.subscribe("query", query, json!({ "first": 3 })).await;
    let answer = client.data("query").await;
    assert_eq!(answer["sessions"]["totalCount"], 14);
    let session = &answer["sessions"]["nodes"][0];
    assert!(session["groupCount"].is_i64(), "{session}");
    client.completed("query").await;
    let mutation = "mutation D($id: ID!) { deleteSession(input: { id: $id, allowConnected: true, \
                    allowPendingMessages: true }) { deletion { rowsDeleted deletedBy } userErrors { code } } }";
    client.subscribe("mutation", mutation, json!({ "id": session["id"] })).await;
    let answer = client.data("mutation").await;
    assert_eq!(answer["deleteSession"]["deletion"]["deletedBy"], "tester", "{answer}");
    client.completed("mutation").await;
    assert_eq!(db.count("whatsapp_sessions").await, 13);
    // The id of a completed operation may be used again.
    client.subscribe("query", query, json!({ "first": 1 })).await;
    assert_eq!(client.data("query").await["sessions"]["totalCount"], 13);
    client.completed("query").await;
}

/// Asserts that a message contains exactly one error, and returns its code and message.
fn only_error(message: &Value, errors: &Value) -> (String, String) {
    let errors = errors.as_array().unwrap_or_else(|| panic!("{message}"));
    assert_eq!(errors.len(), 1, "{message}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&errors[0]["extensions"]["code"]), text(&errors[0]["message"]))
}

#[tokio::test]
async fn what_is_not_executed_is_an_error_and_ends_the_operation() {
    let (_db, address) = without_data().await;
    let mut client = Client::begin(address).await;
    let plain = "A subscription must have exactly one field, without a fragment around it and without a directive.";
    let run = "cleanupRun(id: \"00000000-0000-4000-8000-000000000007\") { id }";
    for (query, code, words) in [
        ("{", "BAD_USER_INPUT", "The query is not valid GraphQL: there is a syntax error at this place."),
        ("{ nothing }", "BAD_USER_INPUT", "Unknown field \"nothing\" on type \"Query\"."),
        ("subscription { nothing }", "BAD_USER_INPUT", "Unknown field \"nothing\" on type \"Subscription\"."),
        ("query A { __typename } query B { __typename }", "BAD_USER_INPUT", "Operation name required in request."),
        (&format!("subscription {{ a: {run} b: {run} }}"), "BAD_USER_INPUT", plain),
        (&format!("subscription {{ ... on Subscription {{ {run} }} }}"), "BAD_USER_INPUT", plain),
        (&format!("subscription {{ ...F }} fragment F on Subscription {{ {run} }}"), "BAD_USER_INPUT", plain),
        (&format!("subscription {{ {} }}", run.replace(" {", " @skip(if: true) {")), "BAD_USER_INPUT", plain),
        (&"{ a ".repeat(70), "QUERY_TOO_COMPLEX", "The query nests brackets deeper than 64 levels."),
    ] {
        client.subscribe("1", query, json!({})).await;
        let message = client.hear().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("1")), "{query}: {message}");
        assert_eq!(only_error(&message, &message["payload"]), (code.to_owned(), words.to_owned()), "{query}");
    }
    client.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(client.data("1").await, json!({ "__typename": "Query" }), "nothing came after the errors");
}

#[tokio::test]
async fn a_variable_without_a_value_leaves_its_argument_out() {
    let db = TestDb::sqlite(Contents::Adopted).await;
    let address = server(db.database().await.clone(), Sockets::default()).await;
    let mut client = Client::begin(address).await;
    let query = "query P($phone: Boolean) { cleanupPreview(criteria: { hasPhoneNumber: $phone }) { sessionCount } }";
    client.subscribe("1", query, json!({})).await;
    assert_eq!(client.data("1").await["cleanupPreview"]["sessionCount"], 9);
}

#[tokio::test]
async fn a_hundred_operations_are_under_way_and_no_more() {
    let db = TestDb::sqlite(Contents::Adopted).await;
    let run = super::run_subscription::create_run(&db).await;
    let address = server(db.database().await.clone(), Sockets::default()).await;
    let mut client = Client::begin(address).await;
    let query = "subscription W($id: ID!) { cleanupRun(id: $id) { status } }";
    for number in 0..100 {
        client.subscribe(&number.to_string(), query, json!({ "id": run })).await;
    }
    for _ in 0..100 {
        assert_eq!(client.hear().await["payload"]["data"]["cleanupRun"]["status"], "QUEUED");
    }
    client.subscribe("more", query, json!({ "id": run })).await;
    let message = client.hear().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("more")));
    let words = "At most 100 operations may be in progress over one WebSocket. Complete one first.".to_owned();
    assert_eq!(only_error(&message, &message["payload"]), ("BAD_USER_INPUT".to_owned(), words));
    client.say(json!({ "type": "complete", "id": "7" })).await;
    client.say(json!({ "type": "complete", "id": "unknown" })).await;
    client.subscribe("more", query, json!({ "id": run })).await;
    assert_eq!(client.data("more").await["cleanupRun"]["status"], "QUEUED");
}
