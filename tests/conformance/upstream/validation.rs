//! Tests of validation rules that upstream does not check.

use futures_util::StreamExt as _;
use serde_json::json;

use super::plain::{Plain, deviates, is_executed};

#[tokio::test]
async fn two_fields_under_one_name_are_executed() {
    let query = "{ viewer { n: name } ...F } fragment F on Query { viewer { n: role } }";
    is_executed(&Plain::new().post(query, json!({})).await, "conformance/parse/validation.rs");
}

#[tokio::test]
async fn an_input_field_with_two_values_is_executed() {
    let query = "mutation { deleteBook(input: { id: \"b0\", dryRun: true, dryRun: false }) { book { id } } }";
    is_executed(&Plain::new().post(query, json!({})).await, "conformance/parse/validation.rs");
}

#[tokio::test]
async fn a_variable_is_used_where_its_type_does_not_fit() {
    let query = "query ($ids: [ID!] = null) { price(ids: $ids) { token } }";
    is_executed(&Plain::new().post(query, json!({ "ids": ["b0"] })).await, "conformance/parse/validation.rs");
}

#[tokio::test]
async fn an_enum_value_in_a_document_may_be_a_string() {
    let query = "{ books(orderBy: { field: \"NAME\" }) { totalCount } }";
    is_executed(&Plain::new().post(query, json!({})).await, "conformance/parse/validation.rs");
}

#[tokio::test]
async fn the_field_of_a_subscription_is_skipped() {
    let plain = Plain::new();
    let query = "subscription { ... @skip(if: true) { books { totalCount } } }";
    let events: Vec<_> = plain.schema.execute_stream(query).collect().await;
    let file = "conformance/parse/document_size.rs (check_subscription_root)";
    deviates(events.iter().all(|event| event.errors.is_empty()), file, events);
}

#[tokio::test]
async fn a_syntax_error_repeats_the_query() {
    let answer = Plain::new().post("{ secret( }", json!({})).await;
    let message = answer["errors"][0]["message"].as_str().unwrap();
    let file = "conformance/parse/validation.rs (syntax_error)";
    deviates(message.contains("{ secret( }") && message.contains("-->"), file, message);
}
