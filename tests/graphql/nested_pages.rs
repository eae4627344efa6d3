//! Tests of the number of statements and the cost of nested pages.

use api::demo::scenario::SESSIONS;
use serde_json::{Value, json};

use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(Mended:
    a_page_of_pages_takes_the_same_number_of_statements_whatever_its_size,
    what_several_fields_need_of_a_row_is_read_together,
    the_parts_of_sessions_groups_are_told_apart,
);

/// The nested page that dashboards query.
const PAGE: &str = "query Q($sessions: Int, $groups: Int, $after: String) {
    sessions(first: $sessions) {
        totalCount
        nodes {
            id name status rawStatus phoneNumber stale createdAt updatedAt groupCount
            impact { sessionCount rowsDeleted rowsUnlinked deletable pendingMessages connectedSessions token
                tables { table rowsDeleted rowsUnlinked references { constraint columns referencedTable onDelete rows } }
                blockers { kind table constraint columns rows message } }
            groups(first: $groups, after: $after) {
                totalCount
                edges { cursor }
                nodes { id jid name participantCount createdAt updatedAt session { id name }
                    references { table column onDelete rows } }
                pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
            }
        }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
}";

/// Returns whether a statement reads the columns of a table. It is executed every few seconds, whatever the query.
fn reads_columns(sql: &str) -> bool {
    sql.contains("AS is_not_null, format_type(") || sql.contains("pragma_table_xinfo($2)")
}

async fn a_page_of_pages_takes_the_same_number_of_statements_whatever_its_size(db: TestDb) {
    let cursor =
        TestApp::over(db.clone()).await.data("{ groups(first: 1) { pageInfo { endCursor } } }", json!({})).await;
    let cursor = &cursor["groups"]["pageInfo"]["endCursor"];
    let (database, counter) = db.counted().await;
    let app = TestApp::with(db, database);
    let statements = async |variables: Value| {
        app.data(PAGE, variables).await;
        counter
            .take()
            .into_iter()
            .filter(|sql| !sql.contains("pg_attribute attribute JOIN") && !sql.contains("pragma_table_xinfo($2)"))
            .count()
    };
    for after in [json!(null), cursor.clone()] {
        let least = statements(json!({ "sessions": 1, "groups": 1, "after": after })).await;
        // The sessions and their count, their groups and those groups' counts twice (of the sessions, and of the
        // lists), the groups' sessions, the catalog and the references, and in a separate transaction the catalog and
        // the impact.
        assert!((10..=14).contains(&least), "{least}");
        for (sessions, groups) in [(1, 10), (14, 1), (14, 10), (14, 40), (50, 10)] {
            let variables = json!({ "sessions": sessions, "groups": groups, "after": after });
            assert_eq!(statements(variables).await, least, "{sessions} × {groups}");
        }
    }
}

async fn what_several_fields_need_of_a_row_is_read_together(db: TestDb) {
    let (database, counter) = db.counted().await;
    let app = TestApp::with(db, database);
    let statements = async |fields: &str| {
        let query = format!("{{ sessions {{ nodes {{ {fields} }} }} }}");
        app.data(&query, json!({})).await;
        app.data(&query, json!({})).await;
        counter.take().into_iter().filter(|sql| !reads_columns(sql)).count()
    };
    let page = "groups(first: 2) { nodes { id } }";
    let (none, one) = (statements("id").await, statements(page).await);
    let twice = statements(&format!("{page} again: groups(first: 2) {{ edges {{ cursor }} nodes {{ name }} }}")).await;
    let other = statements(&format!("{page} other: groups(last: 2) {{ nodes {{ id }} }}")).await;
    assert!(none < one, "{none} {one}");
    assert_eq!(twice, one);
    assert_eq!(other, one + 2, "each of two queries reads one statement more");
}

async fn the_parts_of_sessions_groups_are_told_apart(db: TestDb) {
    let app = TestApp::over(db).await;
    let query = "{ sessions { nodes { id
        two: groups(first: 2) { nodes { id } } three: groups(last: 3) { nodes { id } }
        all: groups(first: 100) { totalCount nodes { id session { id } } }
        found: groups(filter: { search: \"@\" }, first: 100) { totalCount nodes { id name jid } } } } }";
    let data = app.data(query, json!({})).await;
    let nodes = data["sessions"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 14);
    for node in nodes {
        let session = SESSIONS.iter().find(|session| node["id"] == session.id).unwrap();
        let ids = |list: &str| -> Vec<&Value> {
            node[list]["nodes"].as_array().unwrap().iter().map(|group| &group["id"]).collect()
        };
        let all = ids("all");
        assert_eq!(
            (node["all"]["totalCount"].as_u64(), all.len()),
            (Some(session.groups.into()), session.groups.min(100) as usize)
        );
        assert_eq!(ids("two"), all[..2]);
        if session.groups <= 100 {
            assert_eq!(ids("three"), all[all.len() - 3..]);
        }
        assert!(node["all"]["nodes"].as_array().unwrap().iter().all(|group| group["session"]["id"] == session.id));
        assert_eq!(node["found"]["totalCount"], node["all"]["totalCount"]);
    }
}

#[tokio::test]
async fn the_nested_page_is_within_what_is_answered_and_a_larger_one_is_refused() {
    let app = TestApp::over(TestDb::sqlite(crate::support::Contents::Mended).await).await;
    app.data(PAGE, json!({ "sessions": 50, "groups": 10 })).await;
    let (code, message) = app.error(PAGE, json!({ "sessions": 100, "groups": 100 })).await;
    assert_eq!(code, "QUERY_TOO_COMPLEX");
    assert!(message.ends_with("Request smaller pages or fewer fields."), "{message}");
    // Without the fields that cost the database the most, more rows are allowed.
    let rows = "{ sessions(first: 50) { nodes { groups(first: 100) { nodes { id name jid } } } } }";
    app.data(rows, json!({})).await;
}
