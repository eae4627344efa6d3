//! Tests that expensive documents are refused at once and that the next query is answered.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use api::conformance::limits::DocumentLimits;
use serde_json::{Value, json};

use super::app::ToyApp;

async fn refusal(query: &str) -> (String, String) {
    refusal_by(&ToyApp::new(), query).await
}

async fn refusal_by(app: &ToyApp, query: &str) -> (String, String) {
    let start = Instant::now();
    let error = app.error(query, json!({})).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(app.data("{ __typename }", json!({})).await, json!({ "__typename": "Query" }));
    error
}

const TWICE: &str = "a fragment counts wherever it is spread.";

/// Returns a field under `count` aliases.
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
    let app = ToyApp::new();
    app.data(&nested(14), json!({})).await;
    let message = "The query is nested too deeply: at most 15 levels of fields are allowed.";
    assert_eq!(refusal(&nested(16)).await, too_complex(message));
}

#[tokio::test]
async fn a_name_has_at_most_two_hundred_letters() {
    let (name, app) = ("x".repeat(200), ToyApp::new());
    app.data(&format!("query {name} {{ {name}: __typename }}"), json!({})).await;
    let message = "The query has a name that is longer than 200 characters.";
    for query in ["query x {__typename}", "{x: __typename}", "{__typename @x}", "query($x: Int!) {__typename}"] {
        assert_eq!(refusal(&query.replace('x', &"x".repeat(201))).await, too_complex(message), "{query}");
    }
}

#[tokio::test]
async fn brackets_nested_without_end_do_not_overflow_the_stack() {
    let message = "The query nests brackets deeper than 64 levels.";
    let wide = ToyApp::with_limits(DocumentLimits { tokens: 1_000_000, ..DocumentLimits::DEFAULT });
    for open in ["{a", "[", "{a(b:[", "query Q($a:[", "{a(b:{c:", "{ ...on Query "] {
        let query = open.repeat(200_000 / open.len());
        assert_eq!(refusal_by(&wide, &query).await, too_complex(message), "{open}");
        assert_eq!(refusal(&query).await, too_complex("The query has more than 10000 tokens."), "{open}");
    }
}

#[tokio::test]
async fn brackets_that_are_never_closed_do_not_keep_the_parser_busy() {
    for open in
        ["{a", "[", "{a(b:[", "query Q($a:[", "{a(b:{c:", "{ ...on Query ", "query Q($a: Int = [", "{ a @b(c: ["]
    {
        let query = open.repeat(60 / open.matches(['{', '[', '(']).count());
        assert_eq!(refusal(&query).await.0, "BAD_USER_INPUT", "{open}");
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
        ToyApp::new().data(&query, json!({})).await;
    }
}

/// Returns fragments that spread the next one three times, `levels` deep, with `leaf` in the last one.
fn bomb(levels: usize, leaf: &str) -> String {
    let mut fragments = String::new();
    for level in 0..levels {
        let next = level + 1;
        write!(fragments, " fragment F{level} on Query {{ ...F{next} ...F{next} ...F{next} }}").unwrap();
    }
    format!("{fragments} fragment F{levels} on Query {{ {leaf} }}")
}

#[tokio::test]
async fn fragments_that_multiply_are_counted_where_they_are_spread() {
    let message = format!("The query has too many fields: at most 2000 are allowed; {TWICE}");
    let roots = format!("An operation has more than 20 fields at its root; {TWICE}");
    assert_eq!(refusal(&format!("{{ ...F0 }} {}", bomb(20, "__typename"))).await, too_complex(&roots));
    // Spreads of missing fragments and unused fragments are counted too.
    assert_eq!(refusal(&format!("{{ ...F0 }} {}", bomb(20, "...Gone"))).await, too_complex(&message));
    assert_eq!(refusal(&format!("{{ __typename }} {}", bomb(20, "__typename"))).await, too_complex(&message));
}

#[tokio::test]
async fn thirty_levels_of_fragments_are_refused_at_once() {
    for leaf in ["__typename", "...Gone"] {
        assert_eq!(refusal(&format!("{{ ...F0 }} {}", bomb(30, leaf))).await.0, "QUERY_TOO_COMPLEX", "{leaf}");
    }
}

#[tokio::test]
async fn fragments_that_spread_themselves_are_refused() {
    for (query, name) in [
        ("{ ...F } fragment F on Query { ...F ...F }", "F"),
        ("{ ...F } fragment F on Query { ...G ...G } fragment G on Query { a: __typename ...F ...F }", "F"),
    ] {
        let message = format!("The fragment {name} spreads itself.");
        assert_eq!(refusal(query).await, ("BAD_USER_INPUT".to_owned(), message));
    }
}

#[tokio::test]
async fn a_long_chain_of_fragments_does_not_overflow_the_stack() {
    let mut query = "{ ...F0 }".to_owned();
    for level in 0..20_000 {
        write!(query, " fragment F{level} on Query {{ ...F{} }}", level + 1).unwrap();
    }
    query.push_str(" fragment F20000 on Query { __typename }");
    assert_eq!(refusal(&query).await.0, "QUERY_TOO_COMPLEX");
}

#[tokio::test]
async fn a_query_of_thousands_of_fields_is_refused() {
    let query = format!("{{ __schema {{ {} }} }}", "description ".repeat(2_000));
    let message = format!("The query has too many fields: at most 2000 are allowed; {TWICE}");
    assert_eq!(refusal(&query).await, too_complex(&message));
}

#[tokio::test]
async fn the_fields_of_all_operations_count() {
    let mut query = String::new();
    for name in 0..30 {
        write!(query, "query Q{name} {{ ...F }} ").unwrap();
    }
    query += &format!("fragment F on Query {{ __schema {{ {} }} }}", "description ".repeat(100));
    let message = format!("The query has too many fields: at most 2000 are allowed; {TWICE}");
    assert_eq!(refusal(&query).await, too_complex(&message));
}

#[tokio::test]
async fn thousands_of_aliases_are_refused() {
    let within = |count: usize| format!("{{ viewer {{ {} }} }}", aliases(count, "name"));
    let message = format!("The query has too many aliases: at most 200 are allowed; {TWICE}");
    assert_eq!(refusal(&within(201)).await, too_complex(&message));
    ToyApp::new().data(&within(200), json!({})).await;
    let attack = format!("{{ {} }}", aliases(5_000, "__typename"));
    assert_eq!(refusal(&attack).await, too_complex("The query has more than 10000 tokens."));
}

#[tokio::test]
async fn fields_at_the_root_are_few() {
    let message = format!("An operation has more than 20 fields at its root; {TWICE}");
    assert_eq!(refusal(&format!("{{ {} }}", aliases(21, "__typename"))).await, too_complex(&message));
    let spread = format!("{{ ...F ...F }} fragment F on Query {{ {} }}", aliases(11, "__typename"));
    assert_eq!(refusal(&spread).await, too_complex(&message));
    ToyApp::new().data(&format!("{{ {} }}", aliases(20, "__typename")), json!({})).await;
}

#[tokio::test]
async fn directives_are_few() {
    let message = format!("The query has too many directives: at most 50 are allowed; {TWICE}");
    let directives = "@include(if: true) ".repeat(51);
    for query in [
        format!("{{ __schema {directives} {{ description }} }}"),
        format!("query Q {directives} {{ __typename }}"),
        format!("query Q($a: Int {directives}) {{ __typename }}"),
        format!("{{ ... {directives} {{ __typename }} }}"),
        format!("{{ ...F {directives} }} fragment F on Query {{ __typename }}"),
        format!("{{ ...F }} fragment F on Query {directives} {{ __typename }}"),
    ] {
        assert_eq!(refusal(&query).await, too_complex(&message), "{query:.40}");
    }
}

#[tokio::test]
async fn variables_are_few_and_small() {
    let declared: String = (0..101).map(|n| format!("$a{n}: Int ")).collect();
    let message = "An operation has more than 100 variables.";
    assert_eq!(refusal(&format!("query Q({declared}) {{ __typename }}")).await, too_complex(message));

    let app = ToyApp::new();
    let many: serde_json::Map<String, Value> = (0..101).map(|n| (format!("a{n}"), json!(1))).collect();
    let error = app.error("{ __typename }", Value::Object(many)).await;
    assert_eq!(error, too_complex("The request has values for more than 100 variables."));

    // Nested values count, even if the operation does not declare a variable for them.
    let nested = |count: usize| json!({ "x": [{ "y": vec![json!({}); count - 3] }] });
    assert_eq!(app.data("{ __typename }", nested(10_000)).await, json!({ "__typename": "Query" }));
    let error = app.error("{ __typename }", nested(10_001)).await;
    assert_eq!(error, too_complex("The variables have more than 10000 values, nested ones included."));

    let query = "query Q($a: String!) { __type(name: $a) { name } }";
    let sized = |size: usize| json!({ "a": "x".repeat(size - "{'a':''}".len()) });
    assert_eq!(app.data(query, sized(256 * 1024)).await, json!({ "__type": null }));
    let error = app.error(query, sized(256 * 1024 + 1)).await;
    assert_eq!(error, too_complex("The variables take more than 262144 bytes as JSON."));
}

#[tokio::test]
async fn each_limit_of_a_document_can_be_set() {
    let narrow = DocumentLimits {
        tokens: 30,
        depth: 2,
        fields: 4,
        aliases: 1,
        root_fields: 2,
        directives: 1,
        variables: 1,
        ..DocumentLimits::DEFAULT
    };
    let app = ToyApp::with_limits(narrow);
    for (query, message) in [
        (format!("{{ a {} }}", "b ".repeat(28)).as_str(), "The query has more than 30 tokens."),
        ("{ a { b { c } } }", "The query is nested too deeply: at most 2 levels of fields are allowed."),
        ("{ a { b c d e } }", &format!("The query has too many fields: at most 4 are allowed; {TWICE}")),
        ("{ a: x b: x }", &format!("The query has too many aliases: at most 1 are allowed; {TWICE}")),
        ("{ a b c }", &format!("An operation has more than 2 fields at its root; {TWICE}")),
        ("{ a @a @b }", &format!("The query has too many directives: at most 1 are allowed; {TWICE}")),
        ("query Q($a: Int $b: Int) { a }", "An operation has more than 1 variables."),
    ] {
        assert_eq!(refusal_by(&app, query).await, too_complex(message), "{query}");
    }
}

#[tokio::test]
async fn messages_are_short_and_tell_nothing_of_the_schema() {
    let app = ToyApp::new();
    for query in [
        format!("{{ {} }}", "é".repeat(100_000)).replace('é', "y"),
        format!("query Q($a: {}) {{ a }}", "y".repeat(100_000)),
        format!("{{ book(id: \"{}\") {{ id }} }}", "é".repeat(100_000)),
        format!("{{ a @{} }}", "y".repeat(100_000)),
    ] {
        let answer = app.post(&query, json!({})).await.json();
        for error in answer["errors"].as_array().unwrap() {
            let message = error["message"].as_str().unwrap();
            assert!(message.len() <= 1_000, "{}", message.len());
        }
    }
    assert_eq!(refusal("{ boks { id } }").await.1, "Unknown field \"boks\" on type \"Query\".");
    let many = format!("{{ {} }}", "nothing ".repeat(20));
    let query = format!("{{ __schema {{ {} }} }}", "nothing ".repeat(1_000));
    for query in [many, query] {
        let answer = app.post(&query, json!({})).await.json();
        assert!(answer["errors"].as_array().unwrap().len() <= 100);
    }
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
    ToyApp::new().data(&query, json!({})).await;
}
