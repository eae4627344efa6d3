//! Tests that documents that violate GraphQL's rules are refused before anything is executed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::app::ToyApp;
use super::library::BOOKS;

/// Sends a query, asserts that it is refused without being executed, and returns the message.
async fn refusal(app: &ToyApp, query: &str, variables: Value) -> String {
    let answer = app.post(query, variables).await;
    assert_eq!((answer.was_executed, answer.json().get("data")), (false, None), "{query}: {}", answer.body);
    let (code, message) = answer.error();
    assert_eq!(code, "BAD_USER_INPUT", "{query}");
    message
}

const ID: &str = BOOKS[0];

#[tokio::test]
async fn a_directive_goes_by_its_variables_default() {
    let app = ToyApp::new();
    let delete = format!("deleteBook(input: {{ id: \"{ID}\" }})");
    for query in [
        format!(
            "mutation ($preview: Boolean! = true) {{ {delete} @skip(if: $preview) {{ book {{ id }} }} __typename }}"
        ),
        format!(
            "mutation ($really: Boolean = false) {{ {delete} @include(if: $really) {{ book {{ id }} }} __typename }}"
        ),
        format!(
            "mutation ($preview: Boolean! = true) {{ ...F @skip(if: $preview) __typename }} \
             fragment F on Mutation {{ {delete} {{ book {{ id }} }} }}"
        ),
        format!(
            "mutation M($preview: Boolean! = true) {{ ... @skip(if: $preview) {{ {delete} {{ book {{ id }} }} }} __typename }}"
        ),
    ] {
        assert_eq!(app.data(&query, json!({})).await, json!({ "__typename": "Mutation" }), "{query}");
        assert_eq!(app.shelf.count(), 9, "{query}");
    }
    let query = "query ($on: Boolean! = true, $off: Boolean = false) { viewer { a: name @include(if: $on) b: name @include(if: $off) } }";
    assert_eq!(app.data(query, json!({})).await, json!({ "viewer": { "a": "tester" } }));
    assert_eq!(app.data(query, json!({ "on": false, "off": true })).await, json!({ "viewer": { "b": "tester" } }));
    let query = format!(
        "mutation ($preview: Boolean! = true) {{ {delete} @skip(if: $preview) {{ book {{ id }} userErrors {{ code }} }} }}"
    );
    assert_eq!(app.data(&query, json!({ "preview": false })).await["deleteBook"]["userErrors"], json!([]));
    assert_eq!(app.shelf.count(), 8);
}

#[tokio::test]
async fn a_null_does_not_decide_what_is_skipped() {
    let app = ToyApp::new();
    let query = format!(
        "mutation ($preview: Boolean = true) {{ deleteBook(input: {{ id: \"{ID}\" }}) @skip(if: $preview) {{ book {{ id }} }} }}"
    );
    for value in [json!(null), json!("true"), json!(1)] {
        let message = refusal(&app, &query, json!({ "preview": value })).await;
        assert_eq!(message, "@skip needs the variable $preview to be true or false.");
    }
    assert_eq!(app.shelf.count(), 9);
}

#[tokio::test]
async fn an_input_field_has_one_value() {
    let app = ToyApp::new();
    for fields in ["dryRun: true, dryRun: false", "dryRun: true, dryRun: true", "options: { a: 1 }"] {
        let query = format!("mutation {{ deleteBook(input: {{ id: \"{ID}\", {fields} }}) {{ book {{ id }} }} }}");
        refusal(&app, &query, json!({})).await;
    }
    let nested =
        "mutation { clearStock(input: { dryRun: false, filter: { genres: [], genres: [NOVEL] } }) { book { id } } }";
    assert_eq!(refusal(&app, nested, json!({})).await, "Object with multiple entries for field genres.");
    assert_eq!(app.shelf.count(), 9);
    let distinct =
        "query ($from: Int = 1) { books(first: $from, filter: { search: \"\", genres: [] }) { totalCount } }";
    assert_eq!(app.data(distinct, json!({})).await, json!({ "books": { "totalCount": 0 } }));
}

#[tokio::test]
async fn a_variable_stands_where_its_type_fits() {
    let app = ToyApp::new();
    let delete = |head: &str, id: &str, rest: &str| {
        format!("mutation ({head}) {{ deleteBook(input: {{ id: {id}{rest} }}) {{ book {{ id }} }} }}")
    };
    for (query, variables) in [
        ("query ($s: Boolean) { viewer { name @skip(if: $s) } }".to_owned(), json!({ "s": true })),
        ("query ($s: Boolean = null) { viewer { name @skip(if: $s) } }".to_owned(), json!({ "s": true })),
        ("query ($s: String!) { viewer { name @skip(if: $s) } }".to_owned(), json!({ "s": "true" })),
        ("query ($s: Boolean) { __typename @skip(if: $s) }".to_owned(), json!({ "s": true })),
        ("query ($id: ID) { book(id: $id) { id } }".to_owned(), json!({ "id": ID })),
        ("query ($id: ID) { price(ids: [$id]) { token } }".to_owned(), json!({ "id": ID })),
        ("query ($id: ID!) { price(ids: $id) { token } }".to_owned(), json!({ "id": ID })),
        (delete("$id: ID", "$id", ""), json!({ "id": ID })),
        (delete("$id: String!", "$id", ""), json!({ "id": ID })),
        (delete("$id: ID!, $n: String", "$id", ", dryRun: $n"), json!({ "id": ID, "n": "true" })),
    ] {
        let message = refusal(&app, &query, variables).await;
        assert!(message.contains("cannot be used here, where "), "{query}: {message}");
    }
    assert_eq!(app.shelf.count(), 9);
    // A nullable variable is allowed if the argument has a default, or if the variable has a non-null default.
    for query in [
        delete("$n: Boolean", &format!("\"{}\"", BOOKS[1]), ", dryRun: $n"),
        delete(&format!("$id: ID = \"{ID}\""), "$id", ""),
    ] {
        assert_ne!(app.data(&query, json!({})).await["deleteBook"]["book"], json!(null), "{query}");
    }
    assert_eq!(app.shelf.count(), 7);
}

#[tokio::test]
async fn what_other_operations_declare_does_not_matter() {
    let app = ToyApp::new();
    let query =
        "query A($lent: Boolean!) { ...F } query B($lent: Boolean = true) { ...F } query C($lent: Boolean) { ...F }
        query D($lent: ID!) { book(id: $lent) { id } }
        fragment F on Query { stock(filter: { lent: $lent }) { bookCount } }";
    let run_operation = async |name: &str, variables: Value| {
        let answer = app.send(query, Some(name), variables).await.json();
        answer["data"]["stock"]["bookCount"].as_i64().unwrap_or_else(|| panic!("{answer:#}"))
    };
    let (lent, not) =
        (run_operation("A", json!({ "lent": true })).await, run_operation("A", json!({ "lent": false })).await);
    assert_eq!((run_operation("B", json!({})).await, run_operation("B", json!({ "lent": false })).await), (lent, not));
    assert_eq!(run_operation("C", json!({})).await, not, "what the field has as its default");
    assert_eq!(run_operation("C", json!({ "lent": null })).await, lent + not);
    assert_ne!(lent, not);
}

#[tokio::test]
async fn fields_under_one_name_are_one_field() {
    let app = ToyApp::new();
    for query in [
        "{ books(first: 1) { nodes { x: name } } books(first: 1) { nodes { x: genre } } }",
        "{ viewer { n: name } ...F } fragment F on Query { viewer { n: role } }",
        "{ a: __type(name: \"Query\") { name } ...F } fragment F on Query { a: __type(name: \"Viewer\") { name } }",
        "{ ... on Query { a: __typename } ...F } fragment F on Query { a: viewer { name } }",
        "query ($id: ID!) { node(id: $id) { ... on Book { x: name } ... on Loan { x: id } } }",
        "query ($a: [ID!]! $b: [ID!]!) { x: price(ids: $a) { token } ...F }
            fragment F on Query { x: price(ids: $b) { token } }",
        "query ($a: ID!) { x: price(ids: [$a]) { token } ...F }
            fragment F on Query { x: price(ids: [$a, $a]) { token } }",
    ] {
        let message = refusal(&app, query, json!({ "id": ID, "a": ID, "b": ID })).await;
        assert!(message.ends_with("give them different aliases."), "{query}: {message}");
    }
    let merged = "{ viewer { n: name } ...F ... on Query { viewer { n: name r: role } } } fragment F on Query { viewer { r: role } }";
    assert_eq!(app.data(merged, json!({})).await, json!({ "viewer": { "n": "tester", "r": "ADMIN" } }));
    let apart = "{ a: viewer { n: name } b: viewer { n: role } }";
    assert_eq!(app.data(apart, json!({})).await, json!({ "a": { "n": "tester" }, "b": { "n": "ADMIN" } }));
}

#[tokio::test]
async fn an_enum_value_is_a_name_in_the_document_and_a_string_in_a_variable() {
    let app = ToyApp::new();
    for query in [
        "{ __schema { description } books(orderBy: { field: \"NAME\" }) { totalCount } }",
        "query ($o: BookOrder = { field: \"NAME\" }) { books(orderBy: $o) { totalCount } }",
        "query ($f: BookOrderField! = \"NAME\") { books(orderBy: { field: $f }) { totalCount } }",
        "{ books(filter: { genres: [\"NOVEL\"] }) { totalCount } }",
        "{ books(orderBy: { field: NOTHING }) { totalCount } }",
    ] {
        refusal(&app, query, json!({})).await;
    }
    for (query, variables) in [
        ("{ books(orderBy: { field: NAME }) { totalCount } }", json!({})),
        ("query ($o: BookOrder) { books(orderBy: $o) { totalCount } }", json!({ "o": { "field": "NAME" } })),
        ("query ($f: BookOrderField! = NAME) { books(orderBy: { field: $f }) { totalCount } }", json!({})),
    ] {
        assert_eq!(app.data(query, variables).await, json!({ "books": { "totalCount": 9 } }), "{query}");
    }
}

#[tokio::test]
async fn a_variable_is_declared_once_and_used() {
    let app = ToyApp::new();
    let twice = "query ($a: Boolean! $a: Boolean!) { __typename @skip(if: $a) }";
    assert_eq!(refusal(&app, twice, json!({ "a": true })).await, "Multiple variable definitions named $a.");
    let unused = "query ($a: Boolean! $b: Boolean!) { __typename @skip(if: $a) }";
    assert_eq!(refusal(&app, unused, json!({ "a": true, "b": true })).await, "The variable $b is not used.");
    let unknown = "query ($a: Boolean!) { __typename @skip(if: $a) @include(if: $b) }";
    refusal(&app, unknown, json!({ "a": true, "b": true })).await;
    let distinct = "query ($a: Boolean! $b: Boolean!) { __typename @skip(if: $a) @include(if: $b) }";
    assert_eq!(app.data(distinct, json!({ "a": false, "b": true })).await, json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn a_variable_may_be_used_at_the_typename_only() {
    let app = ToyApp::new();
    let query =
        "query ($s: Boolean! = false) { a: __typename @include(if: $s) viewer { role t: __typename @skip(if: $s) } }";
    assert_eq!(app.data(query, json!({})).await, json!({ "viewer": { "role": "ADMIN", "t": "Viewer" } }));
    let on = json!({ "a": "Query", "viewer": { "role": "ADMIN" } });
    assert_eq!(app.data(query, json!({ "s": true })).await, on);
}

#[tokio::test]
async fn what_is_newest_in_the_introspection_is_known() {
    let app = ToyApp::new();
    let query = "query ($deprecated: Boolean!) { __type(name: \"BookFilter\") { isOneOf inputFields { isDeprecated @include(if: $deprecated) deprecationReason } } }";
    let answer = app.data(query, json!({ "deprecated": true })).await;
    assert_eq!(answer["__type"]["isOneOf"], json!(false));
    assert_eq!(answer["__type"]["inputFields"][0], json!({ "isDeprecated": false, "deprecationReason": null }));
    assert_eq!(
        refusal(&app, "{ __schema { nothing } }", json!({})).await,
        "Unknown field \"nothing\" on type \"__Schema\"."
    );
    refusal(&app, "query ($a: Int) { __type(name: \"Query\") { isOneOf } }", json!({})).await;
}

#[tokio::test]
async fn a_refusal_says_where_and_is_short() {
    let app = ToyApp::new();
    let answer = app.post("{\n  viewer { name }\n  nothing\n}", json!({})).await;
    assert_eq!(answer.json()["errors"][0]["locations"], json!([{ "line": 3, "column": 3 }]));
    let often = format!("{{ viewer({}) {{ name }} }}", "a: 1 ".repeat(3_000));
    for error in app.post(&often, json!({})).await.json()["errors"].as_array().unwrap() {
        assert!(error["locations"].as_array().unwrap().len() <= 10);
    }
    // 200 characters is the maximum length of a name.
    let long = "y".repeat(200);
    for query in [
        format!("{{ {long} }}"),
        format!("{{ a: viewer {{ name }} {long}: viewer {{ name }} {long}: viewer(x: {long}) {{ name }} }}"),
        format!("query (${long}: Int) {{ viewer {{ name }} }}"),
        format!("{{ ...{long} }} fragment {long} on Query {{ ...{long} }}"),
    ] {
        let message = refusal(&app, &query, json!({})).await;
        assert!(message.len() <= 1_000, "{}", message.len());
    }
}

#[tokio::test]
async fn fields_that_are_merged_at_every_level_take_no_time() {
    let app = ToyApp::new();
    let mut query = "query Q($in: String!) { __type(name: $in) { ...F0 ...F0 } }".to_owned();
    for level in 0..7 {
        let next = format!("ofType {{ ...F{} }}", level + 1);
        query.push_str(&format!(" fragment F{level} on __Type {{ {next} {next} }}"));
    }
    query.push_str(" fragment F7 on __Type { name kind }");
    let start = Instant::now();
    assert_eq!(app.data(&query, json!({ "in": "Nothing" })).await, json!({ "__type": null }));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_long_string_does_not_overflow_the_stack() {
    let app = ToyApp::new();
    let long = |text: &str| text.repeat(150_000 / text.len());
    for query in [
        format!("{{ viewer(a: \"{}\") {{ name }} }}", long("é")),
        format!("{{ viewer(a: \"{}\") {{ name }} }}", long("\\n")),
        format!("{{ viewer(a: \"\"\"{}\"\"\") {{ name }} }}", long("é\n")),
    ] {
        refusal(&app, &query, json!({})).await;
    }
    let query = format!("{}#{}\n{{ viewer {{ name }} }}", long(" \n,"), long("y"));
    assert_eq!(app.data(&query, json!({})).await, json!({ "viewer": { "name": "tester" } }));
}
