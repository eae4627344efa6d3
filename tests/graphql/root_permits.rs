//! Tests of the fields at the root of an operation, and of the order of fields within lists of rows.

use axum::http::StatusCode;
use serde_json::json;

use crate::http::app::{Answer, TestApp, json_post};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    fields_within_lists_are_in_the_order_of_the_query,
    nothing_is_left_of_the_data_where_a_field_fails_that_must_not_be_null,
    a_variable_without_the_value_that_it_needs_is_refused_before_anything_is_executed,
);

/// Returns the positions of these keys in a response.
fn key_positions(answer: &Answer, words: &[&str]) -> Vec<usize> {
    words
        .iter()
        .map(|word| answer.body.find(&format!("\"{word}\":")).unwrap_or_else(|| panic!("{}", answer.body)))
        .collect()
}

async fn fields_within_lists_are_in_the_order_of_the_query(db: TestDb) {
    let app = TestApp::over(db).await;
    let query = "{ sessions(first: 1) { edges { x: node { groupCount name p: groups(first: 1) { totalCount \
                 q: nodes { references { rows } r: id } } id } cursor } } }";
    let answer = app.post(query, json!({})).await;
    let places = key_positions(
        &answer,
        &["edges", "x", "groupCount", "name", "p", "totalCount", "q", "references", "r", "id", "cursor"],
    );
    assert!(places.is_sorted(), "{}", answer.body);
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
