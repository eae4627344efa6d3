//! Tests that excessive introspection is refused and that the introspection of tools is answered.

use serde_json::json;

use super::app::ToyApp;

const REASON: &str = "The introspection is too large: ";

async fn refusal(query: &str) -> String {
    let app = ToyApp::new();
    let (code, message) = app.error(query, json!({})).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX", "{query}");
    message.strip_prefix(REASON).unwrap_or_else(|| panic!("{message}")).to_owned()
}

#[tokio::test]
async fn types_lead_to_one_another_twice_at_most() {
    let app = ToyApp::new();
    app.data("{ __type(name: \"Node\") { possibleTypes { fields { name } } } }", json!({})).await;
    let many = "at most 2 nested lists are allowed.";
    for query in [
        "{ __type(name: \"Node\") { possibleTypes { interfaces { possibleTypes { name } } } } }",
        "{ __type(name: \"Node\") { possibleTypes { ...T } } } fragment T on __Type { interfaces { ... { fields { name } } } }",
        "{ ... on Query { __schema { types { fields { type { fields { type { fields { name } } } } } } } } }",
        "{ __schema { types { inputFields { type { inputFields { type { inputFields { name } } } } } } } }",
    ] {
        assert_eq!(refusal(query).await, many, "{query}");
    }
}

#[tokio::test]
async fn nothing_has_another_name() {
    for query in [
        "{ __schema { types { a: name b: name } } }",
        "{ a: __schema { types { name } } b: __schema { types { name } } }",
        "{ __type(name: \"Query\") { ...T } } fragment T on __Type { f: fields { name } }",
    ] {
        assert_eq!(refusal(query).await, "its fields must not have aliases.", "{query}");
    }
    let app = ToyApp::new();
    let several = "{ a: __type(name: \"Query\") { name } b: __type(name: \"Book\") { name: name } fields: viewer { fields: name } }";
    assert_eq!(app.data(several, json!({})).await["b"], json!({ "name": "Book" }));
}
