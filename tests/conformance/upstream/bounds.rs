//! Tests of limits on documents that upstream does not have.

use std::time::Instant;

use serde_json::json;

use super::plain::{Plain, deviates, is_executed};

#[tokio::test]
async fn thousands_of_aliases_are_executed() {
    let fields: String = (0..5_000).map(|n| format!("a{n}: __typename ")).collect();
    let file = "conformance/parse/document_size.rs, conformance/parse/token_scan.rs";
    is_executed(&Plain::new().post(&format!("{{ {fields} }}"), json!({})).await, file);
}

#[tokio::test]
async fn lists_are_nested_without_end() {
    // Upstream limits only the depth of selections, to 64.
    let query = format!("{{ a(b: {}{}) }}", "[".repeat(70), "]".repeat(70));
    let parsed = async_graphql::parser::parse_query(query);
    deviates(parsed.is_ok(), "conformance/parse/token_scan.rs", parsed.err());
}

#[tokio::test]
async fn a_fragment_is_walked_wherever_it_is_spread() {
    let plain = Plain::new();
    let time = async |levels: usize| {
        let spread =
            |level: usize| format!("fragment F{level} on Query {{ {} }} ", format!("...F{} ", level + 1).repeat(3));
        let fragments: String = (0..levels).map(spread).collect();
        let query = format!("{{ ...F0 }} {fragments} fragment F{levels} on Query {{ __typename }}");
        let start = Instant::now();
        plain.post(&query, json!({})).await;
        start.elapsed()
    };
    // Other processes only make a measurement longer, so the shortest one is the least disturbed.
    let mut few = time(4).await;
    for _ in 0..10 {
        few = few.min(time(4).await);
    }
    let many = time(10).await;
    // The second document has 729 times as many spreads, but only twice as many fragments.
    deviates(many > few * 10, "conformance/parse/document_size.rs", (few, many));
}

#[tokio::test]
async fn introspection_has_no_bound() {
    let query = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    is_executed(&Plain::new().post(query, json!({})).await, "conformance/parse/introspection_limit.rs");
}
