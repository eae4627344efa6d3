//! Tests that objects whose fields are all skipped are empty rather than null.

use serde_json::json;

use super::app::ToyApp;
use super::library::BOOKS;

#[tokio::test]
async fn where_nothing_is_asked_for_in_the_end_an_object_is_empty() {
    let app = ToyApp::new();
    let (book, nothing) = (BOOKS[0], "b-none");
    for (query, data) in [
        ("{ viewer { name @skip(if: true) } }", json!({ "viewer": {} })),
        ("{ viewer { ...F @include(if: false) } } fragment F on Viewer { name }", json!({ "viewer": {} })),
        ("{ viewer { ... @skip(if: true) { name } __typename @skip(if: true) } }", json!({ "viewer": {} })),
        (
            "{ books(first: 1) { pageInfo { hasNextPage @skip(if: true) } nodes { id @skip(if: true) } } }",
            json!({ "books": { "pageInfo": {}, "nodes": [{}] } }),
        ),
        (&format!("{{ node(id: \"{book}\") {{ ... on Loan {{ days }} }} }}"), json!({ "node": {} })),
        (&format!("{{ node(id: \"{nothing}\") {{ ... on Loan {{ days }} }} }}"), json!({ "node": null })),
        (&format!("{{ book(id: \"{nothing}\") {{ id @skip(if: true) }} }}"), json!({ "book": null })),
        ("{ __type(name: \"Query\") { name @skip(if: true) } }", json!({ "__type": {} })),
        ("{ viewer { ...F } } fragment F on Viewer { name }", json!({ "viewer": { "name": "tester" } })),
    ] {
        assert_eq!(app.data(query, json!({})).await, data, "{query}");
    }
}

#[tokio::test]
async fn where_every_field_is_skipped_the_data_is_there_and_empty() {
    let app = ToyApp::new();
    assert_eq!(app.data("{ __typename @skip(if: true) }", json!({})).await, json!({}));
}
