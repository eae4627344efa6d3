//! Tests that directives of `__typename` are validated like those of other fields.

use serde_json::json;

use super::app::ToyApp;

#[tokio::test]
async fn directives_of_the_typename_are_looked_at_too() {
    let app = ToyApp::new();
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
    let app = ToyApp::new();
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
