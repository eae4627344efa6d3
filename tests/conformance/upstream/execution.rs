//! Tests of upstream's deviations in execution: variables, directives and responses.

use serde_json::json;

use super::plain::{Plain, deviates, is_executed, json_post};
use crate::conformance::library::{BOOKS, Shelf};

#[tokio::test]
async fn a_failed_field_is_left_out_of_its_object() {
    let plain = Plain::over(Shelf { broken_loans: true, ..Shelf::default() });
    let answer = plain.post("{ book(id: \"b0\") { loan { id } id } }", json!({})).await;
    deviates(answer["data"] == json!({ "book": { "id": "b0" } }), "conformance/response/null_propagation.rs", answer);
}

#[tokio::test]
async fn fields_are_not_in_the_order_of_the_query() {
    let plain = Plain::new();
    // The resolver of `loan` yields, so it completes after `name`.
    let query = "{ book(id: \"b0\") { loan { days } name } }";
    let body = plain.send(json_post(&json!({ "query": query }).to_string())).await.body;
    deviates(body.find("name") < body.find("loan"), "conformance/response/field_order.rs", body);
}

#[tokio::test]
async fn an_object_without_fields_is_null() {
    let plain = Plain::new();
    let answer = plain.post("{ viewer { name @skip(if: true) } }", json!({})).await;
    let file = "conformance/rewrite/empty_objects.rs";
    deviates(answer == json!({ "data": { "viewer": null } }), file, answer);
    let answer = plain.post("{ viewer @skip(if: true) { name } }", json!({})).await;
    deviates(answer == json!({ "data": null }), "conformance/document.rs (repair_response)", answer);
}

#[tokio::test]
async fn skip_forgets_the_default_of_its_variable() {
    let answer = Plain::new().post("query ($s: Boolean! = true) { viewer @skip(if: $s) { name } }", json!({})).await;
    let file = "conformance/rewrite/omitted_variables.rs (apply_variable_defaults)";
    deviates(answer["data"]["viewer"]["name"] == "tester", file, answer);
}

#[tokio::test]
async fn a_variable_without_a_value_is_null() {
    let query = "query ($lent: Boolean) { stock(filter: { lent: $lent }) { bookCount } }";
    let answer = Plain::new().post(query, json!({})).await;
    // The correct count is eight: the filter's default selects the books that are not lent.
    let file = "conformance/rewrite/omitted_variables.rs (drop_unset_arguments)";
    deviates(answer["data"]["stock"]["bookCount"] == 9, file, answer);
}

#[tokio::test]
async fn an_operation_begins_without_the_values_of_its_variables() {
    let plain = Plain::new();
    let query = "mutation ($id: ID!) { a: deleteBook(input: { id: \"b1\" }) { book { id } } \
                 b: deleteBook(input: { id: $id }) { book { id } } }";
    let answer = plain.post(query, json!({})).await;
    let file = "conformance/document.rs (check_variables)";
    deviates(plain.shelf.count() == BOOKS.len() - 1, file, answer);
}

#[tokio::test]
async fn skip_takes_a_null_for_false() {
    // For fields other than `__typename`, upstream refuses the null.
    let query = "query ($s: Boolean = true) { __typename @skip(if: $s) stock(filter: { lent: $s }) { bookCount } }";
    let answer = Plain::new().post(query, json!({ "s": null })).await;
    deviates(answer["data"]["__typename"] == "Query", "conformance/rewrite/skip_include.rs", answer);
}

#[tokio::test]
async fn directives_of_the_typename_are_not_validated() {
    let answer = Plain::new().post("{ __typename @nothing }", json!({})).await;
    is_executed(&answer, "conformance/rewrite/typename_directives.rs");
}

#[tokio::test]
async fn other_operations_decide_about_a_variable() {
    let query = "query A($lent: Boolean!) { ...F } query D($lent: ID!) { ...G } \
                 fragment F on Query { stock(filter: { lent: $lent }) { bookCount } } \
                 fragment G on Query { book(id: $lent) { id } }";
    let body = json!({ "query": query, "operationName": "A", "variables": { "lent": true } });
    let answer = Plain::new().send(json_post(&body.to_string())).await.json();
    deviates(answer.get("errors").is_some(), "conformance/rewrite/operation.rs", answer);
}
