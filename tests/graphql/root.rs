//! The root of an operation: the order of its fields, and fields that fail.

use axum::http::StatusCode;
use serde_json::json;

use crate::http::app::{Answer, TestApp, json_post};
use crate::support::{TestDb, both};

both!(Adopted:
    fields_are_answered_in_the_order_of_the_query,
    fields_within_lists_are_in_the_order_of_the_query,
    a_field_that_fails_is_null_where_it_may_be,
    nothing_is_left_of_the_data_where_a_field_fails_that_must_not_be_null,
    a_variable_without_the_value_that_it_needs_is_refused_before_anything_is_executed,
);

#[tokio::test]
async fn directives_of_the_typename_are_looked_at_too() {
    let app = TestApp::without_data().await;
    for (field, message) in [
        ("__typename @nothing", "Unknown directive \"nothing\""),
        ("__typename @include", "Directive `include` missing argument(s): if."),
        ("__typename @skip(when: true)", "Directive `skip` does not define an argument named `when`."),
        (
            "__typename @skip(if: false) @skip(if: false)",
            "Directive @skip is not repeatable but was used multiple times in the same location.",
        ),
        ("__typename(a: 1)", "Field `__typename` does not define an argument named `a`."),
        ("__typename { a }", "Selection on field of leaf type `String!` was not empty."),
    ] {
        let error = app.error(&format!("{{ {field} }}"), json!({})).await;
        assert_eq!(error, ("BAD_USER_INPUT".to_owned(), message.to_owned()), "{field}");
    }
    let both = "{ a: __typename @skip(if: false) @include(if: false) b: __typename }";
    assert_eq!(app.data(both, json!({})).await, json!({ "b": "Query" }));
}

#[tokio::test]
async fn variables_of_the_typename_s_directives_are_looked_at_too() {
    let app = TestApp::without_data().await;
    let query = "query Q($x: Boolean!) { ...F viewer { __typename @skip(if: $x) name } } \
                 fragment F on Query { a: __typename @include(if: $x) }";
    assert_eq!(app.data(query, json!({ "x": true })).await, json!({ "a": "Query", "viewer": { "name": "tester" } }));
    let viewer = json!({ "__typename": "Viewer", "name": "tester" });
    assert_eq!(app.data(query, json!({ "x": false })).await, json!({ "viewer": viewer }));
    for (query, variables, words) in [
        ("query Q($x: String!) { __typename @include(if: $x) }", json!({ "x": "yes" }), "where Boolean! is expected"),
        ("{ __typename @include(if: $x) }", json!({}), "$x not defined"),
        ("{ __typename @include(if: 1) }", json!({}), "No implicit conversion of integer to Boolean!"),
    ] {
        let (code, message) = app.error(query, variables).await;
        assert!(code == "BAD_USER_INPUT" && message.contains(words), "{query}: {message}");
    }
}

both!(Adopted: where_nothing_is_asked_for_in_the_end_an_object_is_empty);

async fn where_nothing_is_asked_for_in_the_end_an_object_is_empty(db: TestDb) {
    let app = TestApp::over(db).await;
    let session = "c0ffee00-0000-4000-8000-000000000010";
    let nothing = "00000000-0000-4000-8000-000000000000";
    for (query, data) in [
        ("{ viewer { name @skip(if: true) } }", json!({ "viewer": {} })),
        ("{ viewer { ...F @include(if: false) } } fragment F on Viewer { name }", json!({ "viewer": {} })),
        ("{ viewer { ... @skip(if: true) { name } __typename @skip(if: true) } }", json!({ "viewer": {} })),
        (
            "{ sessions(first: 1) { pageInfo { hasNextPage @skip(if: true) } nodes { id @skip(if: true) } } }",
            json!({ "sessions": { "pageInfo": {}, "nodes": [{}] } }),
        ),
        (&format!("{{ node(id: \"{session}\") {{ ... on CleanupRun {{ status }} }} }}"), json!({ "node": {} })),
        (&format!("{{ node(id: \"{nothing}\") {{ ... on CleanupRun {{ status }} }} }}"), json!({ "node": null })),
        (&format!("{{ session(id: \"{nothing}\") {{ id @skip(if: true) }} }}"), json!({ "session": null })),
        ("{ __type(name: \"Query\") { name @skip(if: true) } }", json!({ "__type": {} })),
        ("{ viewer { ...F } } fragment F on Viewer { name }", json!({ "viewer": { "name": "tester" } })),
    ] {
        assert_eq!(app.data(query, json!({})).await, data, "{query}");
    }
}

#[tokio::test]
async fn where_every_field_is_skipped_the_data_is_there_and_empty() {
    let app = TestApp::without_data().await;
    assert_eq!(app.data("{ __typename @skip(if: true) }", json!({})).await, json!({}));
}

/// The places in which these words stand in an answer.
fn order(answer: &Answer, words: &[&str]) -> Vec<usize> {
    words
        .iter()
        .map(|word| answer.body.find(&format!("\"{word}\":")).unwrap_or_else(|| panic!("{}", answer.body)))
        .collect()
}

async fn fields_are_answered_in_the_order_of_the_query(db: TestDb) {
    let app = TestApp::over(db).await;
    let query = "{ c: sessions(first: 1) { totalCount q: nodes { name id } p: pageInfo { hasNextPage } } \
                 b: __typename ...F v: viewer { __typename } } \
                 fragment F on Query { s: sessionStats { total } b: __typename a: sessions(first: 1) { z: totalCount } }";
    let answer = app.post(query, json!({})).await;
    let places = order(&answer, &["c", "totalCount", "q", "p", "b", "s", "total", "a", "z", "v"]);
    assert!(places.is_sorted(), "{}", answer.body);
}

async fn fields_within_lists_are_in_the_order_of_the_query(db: TestDb) {
    let app = TestApp::over(db).await;
    let query = "{ sessions(first: 1) { edges { x: node { groupCount name p: groups(first: 1) { totalCount \
                 q: nodes { references { rows } r: id } } id } cursor } } }";
    let answer = app.post(query, json!({})).await;
    let places = order(
        &answer,
        &["edges", "x", "groupCount", "name", "p", "totalCount", "q", "references", "r", "id", "cursor"],
    );
    assert!(places.is_sorted(), "{}", answer.body);
}

async fn a_field_that_fails_is_null_where_it_may_be(db: TestDb) {
    let app = TestApp::over(db).await;
    let answer = app.post("{ a: session(id: \"x\") { id } b: __typename }", json!({})).await;
    assert_eq!(answer.json()["data"], json!({ "a": null, "b": "Query" }));
    assert_eq!(answer.json()["errors"][0]["path"], json!(["a"]));
}

async fn nothing_is_left_of_the_data_where_a_field_fails_that_must_not_be_null(db: TestDb) {
    let app = TestApp::over(db).await;
    for query in [
        "{ a: sessions(first: 101) { totalCount } b: __typename }",
        "mutation { a: deleteSession(input: { id: \"x\" }) { userErrors { code } } b: __typename }",
    ] {
        let answer = app.post(query, json!({})).await;
        assert_eq!((answer.status, &answer.json()["data"]), (StatusCode::OK, &json!(null)), "{query}");
        assert!(answer.body.contains("\"data\":null"), "{}", answer.body);
        assert_eq!(answer.json()["errors"][0]["path"], json!(["a"]), "{query}");
    }
}

async fn a_variable_without_the_value_that_it_needs_is_refused_before_anything_is_executed(db: TestDb) {
    let app = TestApp::over(db).await;
    let query = "query Q($id: ID!) { session(id: $id) { id } }";
    for variables in [json!({}), json!({ "id": null })] {
        let mut request = json_post(&json!({ "query": query, "variables": variables }).to_string());
        request.headers_mut().insert("accept", "application/graphql-response+json".parse().unwrap());
        let answer = app.send(request).await;
        assert_eq!((answer.status, answer.json().get("data")), (StatusCode::BAD_REQUEST, None));
        assert_eq!(answer.error().1, "The variable $id of type ID! needs a value.");
    }
    let preset = "query Q($id: ID! = \"c0ffee00-0000-4000-8000-00000000dead\") { session(id: $id) { id } }";
    assert_eq!(app.data(preset, json!({})).await, json!({ "session": null }));
    assert_eq!(app.error(preset, json!({ "id": null })).await.0, "BAD_USER_INPUT");
}
