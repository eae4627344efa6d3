//! Tests that errors have codes, and messages that say what to correct.

use serde_json::json;

use crate::http::app::TestApp;

const EXAMPLE: &str = "ids are UUIDs, such as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff.";

async fn error(query: &str) -> (String, String) {
    TestApp::without_data().await.error(query, json!({})).await
}

fn bad_user_input(message: impl Into<String>) -> (String, String) {
    ("BAD_USER_INPUT".to_owned(), message.into())
}

#[tokio::test]
async fn a_malformed_id_is_named_wherever_it_is_sent() {
    for id in [
        "",
        "1",
        "nonsense",
        "6f9619ff8b864d01b42d00cf4fc964ff",
        "{6f9619ff-8b86-4d01-b42d-00cf4fc964ff}",
        "6f9619ff-8b86-4d01-b42d-00cf4fc964fg",
    ] {
        for query in [
            format!("{{ session(id: {id:?}) {{ id }} }}"),
            format!("{{ deletion(id: {id:?}) {{ id }} }}"),
            format!("{{ deletionImpact(sessionIds: [{id:?}]) {{ token }} }}"),
            format!("mutation {{ deleteSession(input: {{ id: {id:?} }}) {{ userErrors {{ code }} }} }}"),
        ] {
            assert_eq!(error(&query).await, bad_user_input(format!("{id:?} is not an id: {EXAMPLE}")), "{query}");
        }
    }
}

#[tokio::test]
async fn every_malformed_id_of_a_list_is_named() {
    let query = "{ deletionImpact(sessionIds: [\"a\", \"6f9619ff-8b86-4d01-b42d-00cf4fc964ff\", \"b\"]) { token } }";
    assert_eq!(error(query).await, bad_user_input(format!("These \"a\", \"b\" are not ids: {EXAMPLE}")));
}

#[tokio::test]
async fn more_than_a_thousand_ids_are_refused_before_they_are_looked_at() {
    let query = "query Q($ids: [ID!]!) { deletionImpact(sessionIds: $ids) { token } }";
    let app = TestApp::without_data().await;
    let refused = app.error(query, json!({ "ids": vec!["x"; 1_001] })).await;
    assert_eq!(refused, bad_user_input("sessionIds has 1001 ids; at most 1000 are accepted."));
}

#[tokio::test]
async fn a_page_that_is_too_large_negative_or_behind_a_broken_cursor_is_refused() {
    for first in [-1, 101, i32::MIN, i32::MAX] {
        let refused = error(&format!("{{ sessions(first: {first}) {{ totalCount }} }}")).await;
        assert_eq!(refused, bad_user_input(format!("first is {first}; a page has between 0 and 100 nodes.")));
    }
    for after in ["", "x", "bm90IGpzb24", "e30", "eyJpZCI6MX0", "eyJpZCI6MX0=", "🙂"] {
        let refused = error(&format!("{{ sessions(after: {after:?}) {{ totalCount }} }}")).await;
        assert_eq!(
            refused,
            bad_user_input("after is not a cursor of this list: use one from its edges or pageInfo."),
            "{after}"
        );
    }
}

#[tokio::test]
async fn a_negative_limit_is_refused() {
    let query = "mutation { deleteSession(input: { id: \"6f9619ff-8b86-4d01-b42d-00cf4fc964ff\", atMost: -1 }) { userErrors { code } } }";
    assert_eq!(error(query).await, bad_user_input("atMost is negative; it is a number of rows."));
}

#[tokio::test]
async fn what_graphql_itself_refuses_has_a_code_too() {
    for query in [
        "{ nothing }",
        "{ session { id } }",
        "{ session(id: [1]) { id } }",
        "{ session(id: null) { id } }",
        "query Q($id: ID!) { session(id: $id) { id } }",
        "{ sessions(first: \"ten\") { totalCount } }",
        "{ sessions(first: 99999999999) { totalCount } }",
        "mutation { deleteSession(input: {}) { userErrors { code } } }",
        "mutation { deleteSession(input: { id: \"x\", dryRun: null }) { userErrors { code } } }",
        "mutation { deleteSession(input: { id: \"x\", unknown: true }) { userErrors { code } } }",
        "{ __typename } { __typename }",
        "subscription { x }",
    ] {
        let answer = TestApp::without_data().await.post(query, json!({})).await.json();
        let errors = answer["errors"].as_array().unwrap();
        assert!(errors.iter().all(|error| error["extensions"]["code"] == "BAD_USER_INPUT"), "{query}: {answer:#}");
    }
}
