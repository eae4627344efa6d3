//! A small document cannot keep the server busy, nor bring it down.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::http::app::TestApp;

async fn refused(query: &str) -> (String, String) {
    let app = TestApp::without_data().await;
    let begun = Instant::now();
    let error = app.error(query, json!({})).await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    error
}

/// A field under so many names.
fn aliases(count: usize, field: &str) -> String {
    (0..count).map(|n| format!("a{n}: {field}")).collect::<Vec<_>>().join(" ")
}

fn too_complex(message: &str) -> (String, String) {
    ("QUERY_TOO_COMPLEX".to_owned(), message.to_owned())
}

#[tokio::test]
async fn fields_are_answered_fifteen_levels_deep() {
    let nested = |levels: usize| {
        format!("{{ __schema {{ types {{ {} name {} }} }} }}", "ofType {".repeat(levels - 3), "}".repeat(levels - 3))
    };
    let app = TestApp::without_data().await;
    app.data(&nested(14), json!({})).await;
    let message = "The query is nested too deep: at most 15 levels of fields are answered.";
    assert_eq!(refused(&nested(16)).await, too_complex(message));
}

#[tokio::test]
async fn brackets_nested_without_end_do_not_overflow_the_stack() {
    let message = "The query nests brackets deeper than 64 levels.";
    for open in ["{a", "[", "{a(b:[", "query Q($a:[", "{a(b:{c:", "{ ...on Query "] {
        assert_eq!(refused(&open.repeat(200_000 / open.len())).await, too_complex(message), "{open}");
    }
}

#[tokio::test]
async fn brackets_in_strings_and_comments_do_not_count() {
    let brackets = "[".repeat(1_000);
    for query in [
        format!("{{ __typename }} # {brackets}"),
        format!("# {brackets}\n{{ __typename }}"),
        format!(
            "query Q($a: String = \"\\\"{brackets}\") {{ __typename @include(if: true) a: __type(name: $a) {{ name }} }}"
        ),
        format!("query Q($a: String = \"\"\"\\\"\"\"{brackets}\" \"\"\") {{ a: __type(name: $a) {{ name }} }}"),
    ] {
        TestApp::without_data().await.data(&query, json!({})).await;
    }
}

#[tokio::test]
async fn fragments_that_multiply_are_counted_where_they_are_spread() {
    let mut query = "{ ...F0 }".to_owned();
    for level in 0..20 {
        let next = level + 1;
        write!(query, " fragment F{level} on Query {{ ...F{next} ...F{next} ...F{next} }}").unwrap();
    }
    query.push_str(" fragment F20 on Query { __typename }");
    let message =
        "The query has too many fields: at most 2000 are answered, fragments counted wherever they are spread.";
    assert_eq!(refused(&query).await, too_complex(message));
}

#[tokio::test]
async fn fragments_that_spread_themselves_are_refused() {
    for (query, name) in [
        ("{ ...F } fragment F on Query { ...F ...F }", "F"),
        ("{ ...F } fragment F on Query { ...G ...G } fragment G on Query { a: __typename ...F ...F }", "F"),
    ] {
        let message = format!("The fragment {name} spreads itself.");
        assert_eq!(refused(query).await, ("BAD_USER_INPUT".to_owned(), message));
    }
}

#[tokio::test]
async fn a_long_chain_of_fragments_does_not_overflow_the_stack() {
    let mut query = "{ ...F0 }".to_owned();
    for level in 0..20_000 {
        write!(query, " fragment F{level} on Query {{ ...F{} }}", level + 1).unwrap();
    }
    query.push_str(" fragment F20000 on Query { __typename }");
    assert_eq!(refused(&query).await.0, "QUERY_TOO_COMPLEX");
}

#[tokio::test]
async fn a_query_of_thousands_of_fields_is_refused() {
    let query = format!("{{ {} }}", aliases(2_001, "__typename"));
    let message =
        "The query has too many fields: at most 2000 are answered, fragments counted wherever they are spread.";
    assert_eq!(refused(&query).await, too_complex(message));
}

#[tokio::test]
async fn a_page_costs_its_fields_as_often_as_it_has_nodes() {
    let names = aliases(251, "name");
    let query = |first: i32| format!("{{ sessions(first: {first}) {{ nodes {{ {names} }} }} }}");
    let (code, message) = refused(&query(100)).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX");
    assert_eq!(message, "The query costs more than 25000. Ask for smaller pages or fewer fields.");
}

#[tokio::test]
async fn what_makes_the_database_work_costs_more_than_its_fields() {
    for field in [
        "groups(first: 0, filter: { search: \"x\" }) { totalCount }",
        "sessions(first: 1) { nodes { id } }",
        "deletions(first: 1) { totalCount }",
        "sessionStats { total }",
    ] {
        let (code, message) = refused(&format!("{{ {} }}", aliases(100, field))).await;
        assert_eq!(code, "QUERY_TOO_COMPLEX", "{field}: {message}");
    }
    let query = format!("query Q($ids: [ID!]!) {{ {} }}", aliases(23, "deletionImpact(sessionIds: $ids) { token }"));
    let app = TestApp::without_data().await;
    let ids = vec!["c0ffee00-0000-4000-8000-000000000010"; 1_000];
    assert_eq!(app.error(&query, json!({ "ids": ids })).await.0, "QUERY_TOO_COMPLEX");
}

#[tokio::test]
async fn the_introspection_of_usual_clients_is_answered() {
    let of_type = (0..9).fold("kind name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let query = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }} \
         subscriptionType {{ name kind }} types {{ ...FullType }} directives {{ name description isRepeatable locations \
         args(includeDeprecated: true) {{ ...InputValue }} }} }} }} \
         fragment FullType on __Type {{ kind name description specifiedByURL fields(includeDeprecated: true) {{ name \
         description args(includeDeprecated: true) {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated deprecationReason }} \
         inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }} \
         enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }} \
         possibleTypes {{ ...TypeRef }} }} \
         fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue isDeprecated deprecationReason }} \
         fragment TypeRef on __Type {{ {of_type} }}"
    );
    TestApp::without_data().await.data(&query, json!({})).await;
}
