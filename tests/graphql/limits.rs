//! Tests of the limits on the cost of queries and on the size of pages in this program's own schema.

use api::conformance::limits::DocumentLimits;
use api::limits::Limits;
use serde_json::json;

use crate::http::app::TestApp;
use crate::support::{Contents, TestDb};

async fn assert_refused(app: &TestApp, query: &str) -> (String, String) {
    let error = app.error(query, json!({})).await;
    assert_eq!(app.data("{ __typename }", json!({})).await, json!({ "__typename": "Query" }));
    error
}

/// Returns a server with other limits.
async fn server_with_limits(limits: Limits) -> TestApp {
    TestApp::limited(TestDb::sqlite(Contents::Empty).await, limits).await
}

/// Limits on documents that are wide enough to reach the limit on cost.
const WIDE: Limits = Limits {
    document: DocumentLimits { aliases: 10_000, root_fields: 10_000, ..DocumentLimits::DEFAULT },
    ..Limits::DEFAULT
};

/// Returns a selection of one field under this many aliases.
fn aliases(count: usize, field: &str) -> String {
    (0..count).map(|n| format!("a{n}: {field}")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_limits_of_a_document_and_of_its_cost_are_the_servers() {
    let document = DocumentLimits { tokens: 30, ..DocumentLimits::DEFAULT };
    let app = server_with_limits(Limits { document, cost: 3, ..Limits::DEFAULT }).await;
    for (query, message) in [
        (format!("{{ a {} }}", "b ".repeat(28)).as_str(), "The query has more than 30 tokens."),
        ("{ schemaHealth { healthy } }", "The query costs more than 3. Request smaller pages or fewer fields."),
    ] {
        let expected = ("QUERY_TOO_COMPLEX".to_owned(), message.to_owned());
        assert_eq!(assert_refused(&app, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_page_may_be_smaller_than_the_schema_says() {
    let app = server_with_limits(Limits { page: 10, ..Limits::DEFAULT }).await;
    let (code, message) = app.error("{ sessions(first: 11) { totalCount } }", json!({})).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("BAD_USER_INPUT", "first is 11; a page has between 0 and 10 nodes.")
    );
    // A page without a size is not larger and is allowed. The query fails only because the database has no tables.
    for query in ["{ sessions { totalCount } }", "{ sessions(last: 10) { totalCount } }"] {
        assert_ne!(app.error(query, json!({})).await.0, "BAD_USER_INPUT", "{query}");
    }
}

#[tokio::test]
async fn a_page_costs_its_fields_as_often_as_it_has_nodes() {
    let names = aliases(251, "name");
    let query = |first: i32| format!("{{ sessions(first: {first}) {{ nodes {{ {names} }} }} }}");
    let (code, message) = assert_refused(&server_with_limits(WIDE).await, &query(100)).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX");
    assert_eq!(message, "The query costs more than 25000. Request smaller pages or fewer fields.");
}

#[tokio::test]
async fn what_makes_the_database_work_costs_more_than_its_fields() {
    let wide = server_with_limits(WIDE).await;
    for field in [
        "groups(first: 0, filter: { search: \"x\" }) { totalCount }",
        "sessions(first: 1) { nodes { id } }",
        "deletions(first: 1) { totalCount }",
        "sessionStats { total }",
    ] {
        let (code, message) = assert_refused(&wide, &format!("{{ {} }}", aliases(100, field))).await;
        assert_eq!(code, "QUERY_TOO_COMPLEX", "{field}: {message}");
    }
    for field in ["cleanupPreview { sessionCount }", "schemaHealth { healthy }"] {
        let (code, message) =
            assert_refused(&TestApp::without_data().await, &format!("{{ {} }}", aliases(20, field))).await;
        assert_eq!(code, "QUERY_TOO_COMPLEX", "{field}: {message}");
    }
    let query = format!("query Q($ids: [ID!]!) {{ {} }}", aliases(23, "deletionImpact(sessionIds: $ids) { token }"));
    let ids = vec!["c0ffee00-0000-4000-8000-000000000010"; 1_000];
    assert_eq!(wide.error(&query, json!({ "ids": ids })).await.0, "QUERY_TOO_COMPLEX");
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
