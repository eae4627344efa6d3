//! What GraphQL's rules do not allow is refused before anything is executed.

use std::time::{Duration, Instant};

use api::demo::scenario::SESSIONS;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::mended;
use crate::http::app::{Answer, TestApp, json_post};
use crate::support::{TestDb, both};

both!(StateA:
    a_directive_goes_by_its_variables_default,
    a_null_does_not_decide_what_is_skipped,
    an_input_field_has_one_value,
    a_variable_stands_where_its_type_fits,
);
both!(StateC: what_other_operations_declare_does_not_matter);

async fn asked(app: &TestApp, query: &str, variables: Value) -> Answer {
    let mut request = json_post(&json!({ "query": query, "variables": variables }).to_string());
    request.headers_mut().insert("accept", "application/graphql-response+json".parse().unwrap());
    app.send(request).await
}

/// The message of a refusal, of which nothing was executed.
async fn refused(app: &TestApp, query: &str, variables: Value) -> String {
    let answer = asked(app, query, variables).await;
    assert_eq!((answer.status, answer.json().get("data")), (StatusCode::BAD_REQUEST, None), "{query}: {}", answer.body);
    let (code, message) = answer.error();
    assert_eq!(code, "BAD_USER_INPUT", "{query}");
    message
}

async fn sessions(app: &TestApp) -> i64 {
    app.db.count("whatsapp_sessions").await
}

fn id() -> &'static str {
    SESSIONS[0].id
}

async fn a_directive_goes_by_its_variables_default(db: TestDb) {
    let app = mended(db).await;
    let delete = format!("deleteSession(input: {{ id: \"{}\" }})", id());
    for query in [
        format!(
            "mutation ($preview: Boolean! = true) {{ {delete} @skip(if: $preview) {{ deletion {{ id }} }} __typename }}"
        ),
        format!(
            "mutation ($really: Boolean = false) {{ {delete} @include(if: $really) {{ deletion {{ id }} }} __typename }}"
        ),
        format!(
            "mutation ($preview: Boolean! = true) {{ ...F @skip(if: $preview) __typename }} \
             fragment F on Mutation {{ {delete} {{ deletion {{ id }} }} }}"
        ),
        format!(
            "mutation M($preview: Boolean! = true) {{ ... @skip(if: $preview) {{ {delete} {{ deletion {{ id }} }} }} __typename }}"
        ),
    ] {
        assert_eq!(app.data(&query, json!({})).await, json!({ "__typename": "Mutation" }), "{query}");
        assert_eq!(sessions(&app).await, 14, "{query}");
    }
    let query = "query ($on: Boolean! = true, $off: Boolean = false) { viewer { a: name @include(if: $on) b: name @include(if: $off) } }";
    assert_eq!(app.data(query, json!({})).await, json!({ "viewer": { "a": "tester" } }));
    assert_eq!(app.data(query, json!({ "on": false, "off": true })).await, json!({ "viewer": { "b": "tester" } }));
    let query = format!(
        "mutation ($preview: Boolean! = true) {{ {delete} @skip(if: $preview) {{ deletion {{ id }} userErrors {{ code }} }} }}"
    );
    assert_eq!(app.data(&query, json!({ "preview": false })).await["deleteSession"]["userErrors"], json!([]));
    assert_eq!(sessions(&app).await, 13);
}

async fn a_null_does_not_decide_what_is_skipped(db: TestDb) {
    let app = mended(db).await;
    let query = format!(
        "mutation ($preview: Boolean = true) {{ deleteSession(input: {{ id: \"{}\" }}) @skip(if: $preview) {{ deletion {{ id }} }} }}",
        id()
    );
    for value in [json!(null), json!("true"), json!(1)] {
        let message = refused(&app, &query, json!({ "preview": value })).await;
        assert_eq!(message, "@skip needs the variable $preview true or false.");
    }
    assert_eq!(sessions(&app).await, 14);
}

async fn an_input_field_has_one_value(db: TestDb) {
    let app = mended(db).await;
    for fields in ["dryRun: true, dryRun: false", "dryRun: true, dryRun: true", "options: { a: 1 }"] {
        let query =
            format!("mutation {{ deleteSession(input: {{ id: \"{}\", {fields} }}) {{ deletion {{ id }} }} }}", id());
        refused(&app, &query, json!({})).await;
    }
    let nested = "mutation { cleanUpSessions(input: { dryRun: false, criteria: { statuses: [], statuses: [CONNECTED] } }) { run { id } } }";
    assert_eq!(refused(&app, nested, json!({})).await, "Object with multiple entries for field statuses.");
    assert_eq!((sessions(&app).await, app.db.count(&app.db.dialect().own_table("cleanup_runs")).await), (14, 0));
    let distinct =
        "query ($from: Int = 1) { sessions(first: $from, filter: { search: \"\", statuses: [] }) { totalCount } }";
    assert_eq!(app.data(distinct, json!({})).await, json!({ "sessions": { "totalCount": 0 } }));
}

async fn a_variable_stands_where_its_type_fits(db: TestDb) {
    let app = mended(db).await;
    let delete = |head: &str, id: &str, rest: &str| {
        format!("mutation ({head}) {{ deleteSession(input: {{ id: {id}{rest} }}) {{ deletion {{ id }} }} }}")
    };
    for (query, variables) in [
        ("query ($s: Boolean) { viewer { name @skip(if: $s) } }".to_owned(), json!({ "s": true })),
        ("query ($s: Boolean = null) { viewer { name @skip(if: $s) } }".to_owned(), json!({ "s": true })),
        ("query ($s: String!) { viewer { name @skip(if: $s) } }".to_owned(), json!({ "s": "true" })),
        ("query ($s: Boolean) { __typename @skip(if: $s) }".to_owned(), json!({ "s": true })),
        ("query ($id: ID) { session(id: $id) { id } }".to_owned(), json!({ "id": id() })),
        ("query ($id: ID) { deletionImpact(sessionIds: [$id]) { token } }".to_owned(), json!({ "id": id() })),
        ("query ($id: ID!) { deletionImpact(sessionIds: $id) { token } }".to_owned(), json!({ "id": id() })),
        (delete("$id: ID", "$id", ""), json!({ "id": id() })),
        (delete("$id: String!", "$id", ""), json!({ "id": id() })),
        (delete("$id: ID!, $n: String", "$id", ", dryRun: $n"), json!({ "id": id(), "n": "true" })),
    ] {
        let message = refused(&app, &query, variables).await;
        assert!(message.contains("cannot be used here, where "), "{query}: {message}");
    }
    assert_eq!(sessions(&app).await, 14);
    // The place has a default, or the variable has one that is no null.
    for query in [
        delete("$n: Boolean", &format!("\"{}\"", SESSIONS[1].id), ", dryRun: $n"),
        delete(&format!("$id: ID = \"{}\"", id()), "$id", ""),
    ] {
        assert_ne!(app.data(&query, json!({})).await["deleteSession"]["deletion"], json!(null), "{query}");
    }
    assert_eq!(sessions(&app).await, 12);
}

async fn what_other_operations_declare_does_not_matter(db: TestDb) {
    let app = TestApp::over(db).await;
    let query = "query A($paired: Boolean!) { ...F } query B($paired: Boolean = true) { ...F } query C($paired: Boolean) { ...F }
        query D($paired: ID!) { session(id: $paired) { id } }
        fragment F on Query { cleanupPreview(criteria: { hasPhoneNumber: $paired }) { sessionCount } }";
    let of = async |name: &str, variables: Value| {
        let body = json!({ "query": query, "operationName": name, "variables": variables });
        let answer = app.send(json_post(&body.to_string())).await.json();
        answer["data"]["cleanupPreview"]["sessionCount"].as_i64().unwrap_or_else(|| panic!("{answer:#}"))
    };
    let (paired, not) = (of("A", json!({ "paired": true })).await, of("A", json!({ "paired": false })).await);
    assert_eq!((of("B", json!({})).await, of("B", json!({ "paired": false })).await), (paired, not));
    assert_eq!(of("C", json!({})).await, not, "what the field has as its default");
    assert_eq!(of("C", json!({ "paired": null })).await, paired + not);
    assert_ne!(paired, not);
}

#[tokio::test]
async fn fields_under_one_name_are_one_field() {
    let app = TestApp::without_data().await;
    for query in [
        "{ sessions(first: 1) { nodes { x: name } } sessions(first: 1) { nodes { x: status } } }",
        "{ viewer { n: name } ...F } fragment F on Query { viewer { n: role } }",
        "{ a: __type(name: \"Query\") { name } ...F } fragment F on Query { a: __type(name: \"Viewer\") { name } }",
        "{ ... on Query { a: __typename } ...F } fragment F on Query { a: viewer { name } }",
        "query ($id: ID!) { node(id: $id) { ... on Session { x: name } ... on Deletion { x: id } } }",
        "query ($a: [ID!]! $b: [ID!]!) { x: deletionImpact(sessionIds: $a) { token } ...F }
            fragment F on Query { x: deletionImpact(sessionIds: $b) { token } }",
        "query ($a: ID!) { x: deletionImpact(sessionIds: [$a]) { token } ...F }
            fragment F on Query { x: deletionImpact(sessionIds: [$a, $a]) { token } }",
    ] {
        let message = refused(&app, query, json!({ "id": id(), "a": id(), "b": id() })).await;
        assert!(message.ends_with("give them different aliases."), "{query}: {message}");
    }
    let merged = "{ viewer { n: name } ...F ... on Query { viewer { n: name r: role } } } fragment F on Query { viewer { r: role } }";
    assert_eq!(app.data(merged, json!({})).await, json!({ "viewer": { "n": "tester", "r": "ADMIN" } }));
    let apart = "{ a: viewer { n: name } b: viewer { n: role } }";
    assert_eq!(app.data(apart, json!({})).await, json!({ "a": { "n": "tester" }, "b": { "n": "ADMIN" } }));
}

#[tokio::test]
async fn an_enum_value_is_a_name_in_the_document_and_a_string_in_a_variable() {
    let app = TestApp::without_data().await;
    for query in [
        "{ __schema { description } sessions(orderBy: { field: \"NAME\" }) { totalCount } }",
        "query ($o: SessionOrder = { field: \"NAME\" }) { sessions(orderBy: $o) { totalCount } }",
        "query ($f: SessionOrderField! = \"NAME\") { sessions(orderBy: { field: $f }) { totalCount } }",
        "{ sessions(filter: { statuses: [\"CONNECTED\"] }) { totalCount } }",
        "{ sessions(orderBy: { field: NOTHING }) { totalCount } }",
    ] {
        refused(&app, query, json!({})).await;
    }
    // There is no table to read; what comes of it is an answer nonetheless.
    for (query, variables) in [
        ("{ sessions(orderBy: { field: NAME }) { totalCount } }", json!({})),
        ("query ($o: SessionOrder) { sessions(orderBy: $o) { totalCount } }", json!({ "o": { "field": "NAME" } })),
        ("query ($f: SessionOrderField! = NAME) { sessions(orderBy: { field: $f }) { totalCount } }", json!({})),
    ] {
        assert_ne!(app.error(query, variables).await.0, "BAD_USER_INPUT", "{query}");
    }
}

#[tokio::test]
async fn a_variable_is_declared_once_and_used() {
    let app = TestApp::without_data().await;
    let twice = "query ($a: Boolean! $a: Boolean!) { __typename @skip(if: $a) }";
    assert_eq!(refused(&app, twice, json!({ "a": true })).await, "Multiple variable definitions named $a.");
    let unused = "query ($a: Boolean! $b: Boolean!) { __typename @skip(if: $a) }";
    assert_eq!(refused(&app, unused, json!({ "a": true, "b": true })).await, "The variable $b is not used.");
    let unknown = "query ($a: Boolean!) { __typename @skip(if: $a) @include(if: $b) }";
    refused(&app, unknown, json!({ "a": true, "b": true })).await;
    let distinct = "query ($a: Boolean! $b: Boolean!) { __typename @skip(if: $a) @include(if: $b) }";
    assert_eq!(app.data(distinct, json!({ "a": false, "b": true })).await, json!({ "__typename": "Query" }));
}

#[tokio::test]
async fn a_variable_may_be_used_at_the_typename_only() {
    let app = TestApp::without_data().await;
    let query =
        "query ($s: Boolean! = false) { a: __typename @include(if: $s) viewer { role t: __typename @skip(if: $s) } }";
    assert_eq!(app.data(query, json!({})).await, json!({ "viewer": { "role": "ADMIN", "t": "Viewer" } }));
    let on = json!({ "a": "Query", "viewer": { "role": "ADMIN" } });
    assert_eq!(app.data(query, json!({ "s": true })).await, on);
}

#[tokio::test]
async fn what_is_newest_in_the_introspection_is_known() {
    let app = TestApp::without_data().await;
    let query = "query ($deprecated: Boolean!) { __type(name: \"SessionFilter\") { isOneOf inputFields { isDeprecated @include(if: $deprecated) deprecationReason } } }";
    let answer = app.data(query, json!({ "deprecated": true })).await;
    assert_eq!(answer["__type"]["isOneOf"], json!(false));
    assert_eq!(answer["__type"]["inputFields"][0], json!({ "isDeprecated": false, "deprecationReason": null }));
    assert_eq!(
        refused(&app, "{ __schema { nothing } }", json!({})).await,
        "Unknown field \"nothing\" on type \"__Schema\"."
    );
    refused(&app, "query ($a: Int) { __type(name: \"Query\") { isOneOf } }", json!({})).await;
}

#[tokio::test]
async fn a_refusal_says_where_and_is_short() {
    let app = TestApp::without_data().await;
    let answer = asked(&app, "{\n  viewer { name }\n  nothing\n}", json!({})).await;
    assert_eq!(answer.json()["errors"][0]["locations"], json!([{ "line": 3, "column": 3 }]));
    let often = format!("{{ viewer({}) {{ name }} }}", "a: 1 ".repeat(3_000));
    for error in asked(&app, &often, json!({})).await.json()["errors"].as_array().unwrap() {
        assert!(error["locations"].as_array().unwrap().len() <= 10);
    }
    // As long as a name may be.
    let long = "y".repeat(200);
    for query in [
        format!("{{ {long} }}"),
        format!("{{ a: viewer {{ name }} {long}: viewer {{ name }} {long}: viewer(x: {long}) {{ name }} }}"),
        format!("query (${long}: Int) {{ viewer {{ name }} }}"),
        format!("{{ ...{long} }} fragment {long} on Query {{ ...{long} }}"),
    ] {
        let message = refused(&app, &query, json!({})).await;
        assert!(message.len() <= 1_000, "{}", message.len());
    }
}

#[tokio::test]
async fn fields_that_are_merged_at_every_level_take_no_time() {
    let app = TestApp::without_data().await;
    let mut query = "query Q($in: String!) { __type(name: $in) { ...F0 ...F0 } }".to_owned();
    for level in 0..7 {
        let next = format!("ofType {{ ...F{} }}", level + 1);
        query.push_str(&format!(" fragment F{level} on __Type {{ {next} {next} }}"));
    }
    query.push_str(" fragment F7 on __Type { name kind }");
    let begun = Instant::now();
    assert_eq!(app.data(&query, json!({ "in": "Nothing" })).await, json!({ "__type": null }));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_long_string_does_not_overflow_the_stack() {
    let app = TestApp::without_data().await;
    let long = |text: &str| text.repeat(150_000 / text.len());
    for query in [
        format!("{{ viewer(a: \"{}\") {{ name }} }}", long("é")),
        format!("{{ viewer(a: \"{}\") {{ name }} }}", long("\\n")),
        format!("{{ viewer(a: \"\"\"{}\"\"\") {{ name }} }}", long("é\n")),
    ] {
        refused(&app, &query, json!({})).await;
    }
    let query = format!("{}#{}\n{{ viewer {{ name }} }}", long(" \n,"), long("y"));
    assert_eq!(app.data(&query, json!({})).await, json!({ "viewer": { "name": "tester" } }));
}
