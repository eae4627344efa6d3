//! Tests that the fields of a response are in the order of the query.

use serde_json::{Value, json};

use super::app::ToyApp;

#[tokio::test]
async fn fields_are_answered_in_the_order_of_the_query() {
    let app = ToyApp::new();
    let query = "{ c: books(first: 1) { totalCount q: nodes { name id } p: pageInfo { hasNextPage } } \
                 b: __typename ...F v: viewer { __typename } } \
                 fragment F on Query { s: stock { bookCount } b: __typename a: books(first: 1) { z: totalCount } }";
    let answer = app.post(query, json!({})).await;
    let places = answer.places(&["c", "totalCount", "q", "p", "b", "s", "bookCount", "a", "z", "v"]);
    assert!(places.is_sorted(), "{}", answer.body);
}

#[tokio::test]
async fn fields_within_lists_are_in_the_order_of_the_query() {
    let app = ToyApp::new();
    let query = "{ books(first: 1) { edges { x: node { loan { days } name p: author { books(first: 1) { totalCount \
                 q: nodes { genre r: id } } } id } cursor } } }";
    let answer = app.post(query, json!({})).await;
    let places = answer.places(&["edges", "x", "loan", "name", "p", "totalCount", "q", "genre", "r", "id", "cursor"]);
    assert!(places.is_sorted(), "{}", answer.body);
}

#[tokio::test]
async fn fields_come_in_the_order_in_which_they_are_asked_for() {
    let app = ToyApp::new();
    let query = "{ books(first: 1) { nodes { genre loan { days } __typename n: name id } } }";
    let answer = app.post(query, json!({})).await;
    assert!(answer.places(&["genre", "loan", "__typename", "n", "id"]).is_sorted(), "{}", answer.body);
}

#[tokio::test]
async fn a_field_asked_for_twice_has_what_both_want() {
    let app = ToyApp::new();
    let query = "{ books(first: 2) { nodes { id id g: author { books(first: 1) { nodes { id } } } \
                 } nodes { g: author { books(first: 1) { nodes { name } } } } } }";
    let data = app.data(query, json!({})).await;
    let nodes = |of: &Value| of["nodes"].as_array().unwrap().clone();
    for book in nodes(&data["books"]) {
        assert!(book["id"].is_string(), "{data}");
        for other in nodes(&book["g"]["books"]) {
            assert!(other["id"].is_string() && other["name"].is_string(), "{data}");
        }
    }
}
