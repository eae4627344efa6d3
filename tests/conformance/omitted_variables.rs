//! Tests of variables without a value.

use serde_json::json;

use super::app::ToyApp;

#[tokio::test]
async fn a_field_whose_variable_is_left_out_is_left_out() {
    let app = ToyApp::new();
    let count = async |query: &str, variables| {
        let data = app.data(query, variables).await;
        data["stock"]["bookCount"].as_i64().unwrap()
    };
    let fields = "query P($lent: Boolean, $of: [Genre!]) { stock(filter: { lent: $lent, genres: $of }) { bookCount } }";
    assert_eq!(count(fields, json!({})).await, 8);
    assert_eq!(count(fields, json!({ "lent": null })).await, 9, "null is either");
    assert_eq!(count(fields, json!({ "lent": true })).await, 1);
    assert_eq!(count(fields, json!({ "of": [] })).await, 0);
    let argument =
        "query P($filter: StockFilter) { ...all } fragment all on Query { stock(filter: $filter) { bookCount } }";
    assert_eq!(count(argument, json!({})).await, 8, "an argument, in a fragment");
    let of_default = "query P($lent: Boolean = true) { stock(filter: { lent: $lent }) { bookCount } }";
    assert_eq!(count(of_default, json!({})).await, 1, "the variable's own default");
    let dry_run = "mutation C($dryRun: Boolean) { clearStock(input: { dryRun: $dryRun }) { book { id } } }";
    assert_eq!(app.data(dry_run, json!({})).await["clearStock"]["book"], json!(null));
    assert_eq!(app.shelf.count(), 9);
    let required = "query P($id: ID!) { book(id: $id) { id } }";
    assert_eq!(app.error(required, json!({})).await.0, "BAD_USER_INPUT");
    let unused = "query P($id: ID) { stock { bookCount } }";
    assert!(app.error(unused, json!({})).await.1.contains("is not used"));
}

#[tokio::test]
async fn a_variable_without_the_value_that_it_needs_is_refused_before_anything_is_executed() {
    let app = ToyApp::new();
    let query = "query Q($id: ID!) { book(id: $id) { id } }";
    for variables in [json!({}), json!({ "id": null })] {
        let answer = app.post(query, variables).await;
        assert_eq!((answer.was_executed, answer.json().get("data")), (false, None));
        assert_eq!(answer.error().1, "The variable $id of type ID! needs a value.");
    }
    let preset = "query Q($id: ID! = \"b-none\") { book(id: $id) { id } }";
    assert_eq!(app.data(preset, json!({})).await, json!({ "book": null }));
    assert_eq!(app.error(preset, json!({ "id": null })).await.0, "BAD_USER_INPUT");
}
