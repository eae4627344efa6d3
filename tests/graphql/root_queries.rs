//! Tests of the queries for the principal, for any node by its id, and for counts by status, and of the validation of
//! page arguments.

use api::demo::scenario::SESSIONS;
use serde_json::{Value, json};

use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(Mended:
    sessions_are_counted_by_status,
    a_page_has_one_end,
    a_page_is_neither_negative_nor_larger_than_a_hundred,
);
on_both!(Mended: what_is_searched_for_means_only_itself, lists_of_a_filter_have_a_limit);
on_both!(Adopted: anything_is_found_by_its_id);

async fn sessions_are_counted_by_status(db: TestDb) {
    db.exec(&format!("UPDATE whatsapp_sessions SET status = 'banned' WHERE id = '{}'", SESSIONS[0].id)).await;
    let app = TestApp::over(db).await;
    let answer = app.data("{ sessionStats { total stale byStatus { status count } } }", json!({})).await;
    let mut counts = [("CONNECTED", 0), ("CONNECTING", 0), ("QR_PENDING", 0), ("DISCONNECTED", 0), ("OTHER", 1)];
    for session in &SESSIONS[1..] {
        let status = session.status.to_uppercase();
        counts.iter_mut().find(|(name, _)| *name == status).unwrap().1 += 1;
    }
    let by_status: Vec<_> = counts.iter().map(|(status, count)| json!({ "status": status, "count": count })).collect();
    assert_eq!(answer, json!({ "sessionStats": { "total": 14, "stale": 8, "byStatus": by_status } }));
}

async fn anything_is_found_by_its_id(db: TestDb) {
    let app = TestApp::over(db).await;
    let query =
        "query Q($id: ID!) { node(id: $id) { __typename id ... on Session { name } ... on Deletion { deletedBy } } }";
    let node = async |id: &str| app.data(query, json!({ "id": id })).await["node"].take();
    let id = SESSIONS[0].id;
    assert_eq!(node(id).await, json!({ "__typename": "Session", "id": id, "name": "stale-1" }));
    let delete = "mutation M($id: ID!) { deleteSession(input: { id: $id }) { deletion { id } } }";
    let deletion = app.data(delete, json!({ "id": id })).await["deleteSession"]["deletion"]["id"].take();
    let deletion = deletion.as_str().unwrap();
    assert_eq!(node(deletion).await, json!({ "__typename": "Deletion", "id": deletion, "deletedBy": "tester" }));
    assert_eq!(node(id).await, Value::Null);
    assert_eq!(app.error(query, json!({ "id": "1" })).await.0, "BAD_USER_INPUT");
}

#[tokio::test]
async fn whoever_reaches_the_server_may_do_everything_while_there_are_no_tokens() {
    let viewer = TestApp::without_data().await.data("{ viewer { name role } }", json!({})).await;
    assert_eq!(viewer, json!({ "viewer": { "name": "tester", "role": "ADMIN" } }));
}

const PAGE: &str = "query Q($first: Int, $last: Int) { sessions(first: $first, last: $last) { nodes { id } pageInfo { hasNextPage } } }";

async fn a_page_has_one_end(db: TestDb) {
    let app = TestApp::over(db).await;
    let error = app.error(PAGE, json!({ "first": 1, "last": 1 })).await;
    assert_eq!(error.0, "BAD_USER_INPUT");
    assert_eq!(error.1, "first and last cannot be combined: use only one of them.");
    let first = app.data(PAGE, json!({ "first": 14 })).await;
    assert_eq!(app.data(PAGE, json!({ "last": 14 })).await, first);
}

async fn a_page_is_neither_negative_nor_larger_than_a_hundred(db: TestDb) {
    let app = TestApp::over(db).await;
    for end in ["first", "last"] {
        for size in [-1, 101, i32::MIN, i32::MAX] {
            let error = app.error(PAGE, json!({ end: size })).await;
            let message = format!("{end} is {size}; a page has between 0 and 100 nodes.");
            assert_eq!(error, ("BAD_USER_INPUT".to_owned(), message));
        }
        assert_eq!(app.data(PAGE, json!({ end: 0 })).await["sessions"]["nodes"], json!([]));
    }
}

async fn what_is_searched_for_means_only_itself(db: TestDb) {
    let rename = |n: usize, name: &str| {
        format!("UPDATE whatsapp_sessions SET session_name = '{name}' WHERE id = '{}'", SESSIONS[n].id)
    };
    let names =
        ["100% sure", "under_score", "Ünïcode ÄRGER", "back\\slash", "[brackets]", "a*b?c", "dot.dot^$", "CAPS{1}"];
    db.exec_all(&names.iter().enumerate().map(|(n, name)| rename(n, name)).collect::<Vec<_>>()).await;
    let app = TestApp::over(db).await;
    let query = "query Q($search: String) { sessions(filter: { search: $search }) { nodes { name } } }";
    for (search, found) in [
        ("%", "100% sure"),
        ("_", "under_score"),
        ("ärger", "Ünïcode ÄRGER"),
        ("\\", "back\\slash"),
        ("[B", "[brackets]"),
        ("A*B?", "a*b?c"),
        (".DOT^$", "dot.dot^$"),
        ("caps{1}", "CAPS{1}"),
    ] {
        let nodes = app.data(query, json!({ "search": search })).await["sessions"]["nodes"].take();
        assert_eq!(nodes, json!([{ "name": found }]), "{search}");
    }
    let id = SESSIONS[9].id[..30].to_uppercase();
    let nodes = app.data(query, json!({ "search": id })).await["sessions"]["nodes"].take();
    assert!(nodes.as_array().unwrap().iter().any(|node| node["name"] == SESSIONS[9].name), "{nodes}");
}

async fn lists_of_a_filter_have_a_limit(db: TestDb) {
    let app = TestApp::over(db).await;
    let query = "query Q($filter: SessionFilter) { sessions(filter: $filter) { nodes { id } } }";
    for (filter, message) in [
        (json!({ "ids": vec![SESSIONS[0].id; 1_001] }), "filter.ids has 1001 ids; at most 1000 are accepted."),
        (json!({ "search": "a".repeat(201) }), "filter.search must have at most 200 characters, none of them NUL."),
        (json!({ "search": "\0" }), "filter.search must have at most 200 characters, none of them NUL."),
    ] {
        let error = app.error(query, json!({ "filter": filter })).await;
        assert_eq!(error, ("BAD_USER_INPUT".to_owned(), message.to_owned()));
    }
}
