//! Tests that a failed field is null if it is nullable, and otherwise its closest nullable ancestor.

use serde_json::{Value, json};

use super::app::ToyApp;
use super::library::{BOOKS, Shelf};

fn broken_author() -> ToyApp {
    ToyApp::with_shelf(Shelf { broken_authors: &BOOKS[..1], ..Shelf::default() })
}

fn broken_loans() -> ToyApp {
    ToyApp::with_shelf(Shelf { broken_loans: true, ..Shelf::default() })
}

/// Returns the expected failures: one internal error at this path.
fn internal_error_at(path: Value) -> Vec<(Value, Value)> {
    vec![(path, json!("INTERNAL"))]
}

#[tokio::test]
async fn a_row_that_fails_takes_the_list_with_it() {
    let query = "{ books(first: 100) { nodes { id i: author { name } } } other: __typename }";
    let answer = broken_author().post(query, json!({})).await;
    assert_eq!(answer.failures(), internal_error_at(json!(["books", "nodes", 0, "i"])));
    assert_eq!(answer.json()["data"], json!(null));
    let data = ToyApp::new().data(query, json!({})).await;
    assert_eq!(data["books"]["nodes"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn an_object_that_fails_is_null_where_it_may_be() {
    let query = "query Q($id: ID!) { a: node(id: $id) { ...F } b: __typename } \
                 fragment F on Node { ... on Loan { days } ... on Book { ... { i: author { name } } } }";
    let answer = broken_author().post(query, json!({ "id": BOOKS[0] })).await;
    assert_eq!(answer.failures(), internal_error_at(json!(["a", "i"])));
    assert_eq!(answer.json()["data"], json!({ "a": null, "b": "Query" }));
}

#[tokio::test]
async fn a_list_whose_items_must_not_be_null_takes_along_what_it_stands_in() {
    let query = "query Q($id: ID!) { b: __typename s: book(id: $id) { id g: loan { a: author { books(first: 2) { \
                 edges { cursor node { id of: author { name } } } } } } } }";
    let answer = broken_author().post(query, json!({ "id": BOOKS[0] })).await;
    let path = |index: usize| json!(["s", "g", "a", "books", "edges", index, "node", "of"]);
    let mut failed = answer.failures();
    failed.sort_by_key(|(path, _)| path.to_string());
    assert_eq!(failed, [(path(0), json!("INTERNAL")), (path(1), json!("INTERNAL"))]);
    assert_eq!(answer.json()["data"], json!({ "b": "Query", "s": { "id": BOOKS[0], "g": null } }));
}

#[tokio::test]
async fn only_the_position_that_failed_is_null() {
    let app = broken_author();
    let query = "query Q($broken: ID!, $other: ID!) { a: book(id: $other) { ...F } b: book(id: $broken) { ...F } \
                 c: node(id: $broken) { id } d: node(id: $broken) { ... on Book { author { id } } } } \
                 fragment F on Book { id s: author { name } }";
    let answer = app.post(query, json!({ "broken": BOOKS[0], "other": BOOKS[1] })).await;
    let (mut failed, data) = (answer.failures(), &answer.json()["data"]);
    failed.sort_by_key(|(path, _)| path.to_string());
    assert_eq!(failed, [(json!(["b", "s"]), json!("INTERNAL")), (json!(["d", "author"]), json!("INTERNAL"))]);
    assert_eq!((&data["b"], &data["c"]["id"], &data["d"]), (&json!(null), &json!(BOOKS[0]), &json!(null)));
    assert!(data["a"]["id"] == BOOKS[1] && data["a"]["s"]["name"].is_string(), "{data}");
    assert!(answer.places(&["a", "b", "c", "d"]).is_sorted(), "{}", answer.body);
    let list = app.post("{ books(first: 2) { totalCount nodes { id author { id } } } }", json!({})).await;
    assert_eq!((list.failures().len(), &list.json()["data"]), (1, &json!(null)));
}

#[tokio::test]
async fn a_field_that_may_be_null_is_null_in_every_row() {
    let app = broken_loans();
    let query = "{ books { nodes { name r: loan { id } id } edges { node { r: loan { id } id } } \
                 alone: nodes { loan { days } } } }";
    let answer = app.post(query, json!({})).await;
    let json = answer.json();
    let list = &json["data"]["books"];
    let mut expected = Vec::new();
    for (index, id) in BOOKS.iter().enumerate() {
        assert_eq!(list["nodes"][index], json!({ "name": format!("Book {id}"), "r": null, "id": id }));
        assert_eq!(list["edges"][index]["node"], json!({ "r": null, "id": id }));
        assert_eq!(list["alone"][index], json!({ "loan": null }));
        for path in [
            json!(["books", "nodes", index, "r"]),
            json!(["books", "edges", index, "node", "r"]),
            json!(["books", "alone", index, "loan"]),
        ] {
            expected.push((path, json!("INTERNAL")));
        }
    }
    assert!(answer.places(&["nodes", "name", "r", "id", "edges"]).is_sorted(), "{}", answer.body);
    let (_, edges) = answer.body.split_once("\"edges\"").unwrap();
    assert!(edges.find("\"r\":") < edges.find("\"id\":"), "{}", answer.body);
    let mut failed = answer.failures();
    let key = |(path, _): &(Value, Value)| path.to_string();
    failed.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(failed, expected);
    let one_book = app.post("query Q($id: ID!) { book(id: $id) { loan { id } } }", json!({ "id": BOOKS[0] })).await;
    assert_eq!(one_book.json()["data"], json!({ "book": { "loan": null } }));
    assert_eq!(one_book.failures(), internal_error_at(json!(["book", "loan"])));
}

#[tokio::test]
async fn a_field_that_is_left_out_by_a_directive_stays_out() {
    let query = "query Q($yes: Boolean!, $no: Boolean!, $id: ID!) { book(id: $id) { id \
                 a: loan @include(if: $yes) { id } b: loan @include(if: $no) { id } c: loan @skip(if: $yes) { id } \
                 ... @include(if: $no) { d: loan { id } } ...F @skip(if: $yes) ...G @include(if: $yes) } } \
                 fragment F on Book { e: loan { id } } fragment G on Book { f: loan { id } }";
    let answer = broken_loans().post(query, json!({ "yes": true, "no": false, "id": BOOKS[0] })).await;
    assert_eq!(answer.json()["data"], json!({ "book": { "id": BOOKS[0], "a": null, "f": null } }));
    assert_eq!(answer.failures().len(), 2);
}

#[tokio::test]
async fn a_field_that_fails_is_null_where_it_may_be() {
    let answer = ToyApp::new().post("{ a: book(id: \"x\") { id } b: __typename }", json!({})).await.json();
    assert_eq!(answer["data"], json!({ "a": null, "b": "Query" }));
    assert_eq!(answer["errors"][0]["path"], json!(["a"]));
}

#[tokio::test]
async fn nothing_is_left_of_the_data_where_a_field_fails_that_must_not_be_null() {
    let app = ToyApp::new();
    for query in [
        "{ a: books(first: 101) { totalCount } b: __typename }",
        "mutation { a: deleteBook(input: { id: \"x\" }) { userErrors { code } } b: __typename }",
    ] {
        let answer = app.post(query, json!({})).await;
        assert_eq!((answer.was_executed, &answer.json()["data"]), (true, &json!(null)), "{query}");
        assert!(answer.body.contains("\"data\":null"), "{}", answer.body);
        assert_eq!(answer.json()["errors"][0]["path"], json!(["a"]), "{query}");
    }
}

#[tokio::test]
async fn an_event_keeps_what_may_be_null() {
    let events = broken_loans().events("subscription { r: books { nodes { loan { id } id } totalCount } }").await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let nodes: Vec<Value> = BOOKS.iter().map(|id| json!({ "loan": null, "id": id })).collect();
    assert_eq!(event.json()["data"], json!({ "r": { "nodes": nodes, "totalCount": 9 } }));
    let expected = (0..BOOKS.len()).map(|index| json!(["r", "nodes", index, "loan"]));
    let mut paths: Vec<Value> = event.failures().into_iter().map(|(path, _)| path).collect();
    paths.sort_by_key(Value::to_string);
    assert_eq!(paths, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn nothing_is_left_of_an_event_whose_field_must_not_be_null() {
    let app = ToyApp::with_shelf(Shelf { broken_lists: true, ..Shelf::default() });
    let events = app.events("subscription { books { totalCount d: nodes { id } } }").await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event.json()["data"], json!(null));
    assert_eq!(event.failures(), internal_error_at(json!(["books", "d"])));
}
