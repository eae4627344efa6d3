//! Tests of the lists of groups: of all groups, and of a session.

use api::db::Dialect;
use api::demo::scenario::SESSIONS;
use serde_json::{Value, json};

use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(Mended:
    the_groups_of_all_are_listed_by_name,
    a_list_is_filtered_by_all_that_is_asked_for,
    an_empty_list_of_ids_is_met_by_none,
    a_search_takes_signs_for_themselves_and_finds_any_case,
    a_null_sorts_as_the_smallest,
    pages_that_nobody_gives_are_refused,
    the_first_groups_are_read_in_the_order_of_their_index,
);

fn field_values<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    list["nodes"].as_array().unwrap_or_else(|| panic!("{list:#}")).iter().map(|node| &node[field]).collect()
}

async fn the_groups_of_all_are_listed_by_name(db: TestDb) {
    let expected = db.rows("SELECT CAST(id AS text) FROM whatsapp_groups ORDER BY group_name, id").await;
    let expected: Vec<Value> = expected.into_iter().map(|mut row| json!(row.remove(0))).collect();
    let app = TestApp::over(db).await;
    let query = "query Q($after: String) { groups(first: 100, after: $after) {
        totalCount nodes { id } pageInfo { hasNextPage endCursor } } }";
    let (mut seen, mut after) = (Vec::new(), json!(null));
    loop {
        let page = app.data(query, json!({ "after": after })).await["groups"].take();
        assert_eq!(page["totalCount"], 780);
        seen.extend(field_values(&page, "id").into_iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, expected);
}

const LIST: &str = "query Q($filter: GroupFilter, $orderBy: GroupOrder, $session: ID!) {
    groups(filter: $filter, orderBy: $orderBy, first: 100) { totalCount nodes { id name jid session { id } } }
    session(id: $session) { groups(filter: $filter, orderBy: $orderBy, first: 100) { totalCount nodes { id name } } } }";

async fn count_groups(app: &TestApp, session: &str, filter: Value) -> (usize, usize) {
    let data = app.data(LIST, json!({ "filter": filter, "session": session })).await;
    let count = |list: &Value| {
        let nodes = field_values(list, "id").len();
        assert_eq!(list["totalCount"], nodes, "{filter}");
        nodes
    };
    (count(&data["groups"]), count(&data["session"]["groups"]))
}

async fn a_list_is_filtered_by_all_that_is_asked_for(db: TestDb) {
    let (one, other) = (SESSIONS[9].id, SESSIONS[10].id);
    let group_ids_query =
        |session: &str| format!("SELECT CAST(id AS text) FROM whatsapp_groups WHERE session_id = '{session}'");
    let (first_groups, second_groups) = (db.rows(&group_ids_query(one)).await, db.rows(&group_ids_query(other)).await);
    let ids =
        json!([first_groups[0][0], first_groups[1][0], second_groups[0][0], "00000000-0000-4000-8000-000000000000"]);
    let app = TestApp::over(db).await;
    for (filter, expected) in [
        (json!({ "ids": ids }), (3, 2)),
        (json!({ "sessionIds": [one] }), (40, 40)),
        (json!({ "sessionIds": [one, other] }), (80, 40)),
        (json!({ "sessionIds": [other] }), (40, 0)),
        (json!({ "ids": ids, "sessionIds": [other] }), (1, 0)),
        (json!({ "ids": ids, "search": first_groups[1][0][20..].to_uppercase() }), (1, 1)),
        (json!({ "ids": ids, "sessionIds": null, "search": null }), (3, 2)),
    ] {
        assert_eq!(count_groups(&app, one, filter.clone()).await, expected, "{filter}");
    }
}

async fn an_empty_list_of_ids_is_met_by_none(db: TestDb) {
    let app = TestApp::over(db).await;
    for filter in [json!({ "ids": [] }), json!({ "sessionIds": [] })] {
        assert_eq!(count_groups(&app, SESSIONS[0].id, filter).await, (0, 0));
    }
    for filter in ["ids", "sessionIds"] {
        let query = format!("{{ groups(filter: {{ {filter}: [\"x\"] }}) {{ totalCount }} }}");
        let (code, message) = app.error(&query, json!({})).await;
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.contains("\"x\""), "{message}");
    }
}

async fn a_search_takes_signs_for_themselves_and_finds_any_case(db: TestDb) {
    let session = SESSIONS[9].id;
    db.exec(&format!(
        "UPDATE whatsapp_groups SET group_name = 'Größe 100%_[a]*' WHERE group_jid = \
           (SELECT min(group_jid) FROM whatsapp_groups WHERE session_id = '{session}'); \
         UPDATE whatsapp_groups SET group_jid = 'AbC%d@g.us' WHERE group_jid = \
           (SELECT max(group_jid) FROM whatsapp_groups WHERE session_id = '{session}')"
    ))
    .await;
    let app = TestApp::over(db).await;
    for (search, expected) in [
        ("%", 2),
        ("_", 1),
        ("0%_", 1),
        ("%_0", 0),
        ("grÖßE", 1),
        ("[A]*", 1),
        ("aBc%D@", 1),
        (".", 780),
        ("\\", 0),
        ("'", 0),
    ] {
        let data = app
            .data("query Q($s: String) { groups(filter: { search: $s }) { totalCount } }", json!({ "s": search }))
            .await;
        // Every jid contains a dot.
        assert_eq!(data["groups"]["totalCount"], expected, "{search}");
    }
}

async fn a_null_sorts_as_the_smallest(db: TestDb) {
    let session = SESSIONS[8].id;
    if db.dialect() == Dialect::Postgres {
        db.exec("ALTER TABLE whatsapp_groups ALTER participant_count DROP NOT NULL, ALTER created_at DROP NOT NULL")
            .await;
    } else {
        // SQLite cannot drop a NOT NULL constraint, so the table is created anew.
        db.exec(
            "PRAGMA foreign_keys = OFF; CREATE TABLE other AS SELECT * FROM whatsapp_groups; DROP TABLE whatsapp_groups; \
             CREATE TABLE whatsapp_groups (id text PRIMARY KEY, session_id text, group_jid text, group_name text, \
               participant_count integer, created_at text, updated_at text); \
             INSERT INTO whatsapp_groups SELECT * FROM other; DROP TABLE other",
        )
        .await;
    }
    let some = format!("SELECT id FROM whatsapp_groups WHERE session_id = '{session}' ORDER BY id LIMIT");
    db.exec(&format!(
        "UPDATE whatsapp_groups SET participant_count = 7 WHERE id IN ({some} 9); \
         UPDATE whatsapp_groups SET participant_count = NULL WHERE id IN ({some} 4); \
         UPDATE whatsapp_groups SET created_at = NULL WHERE id IN ({some} 6)"
    ))
    .await;
    let app = TestApp::over(db).await;
    let query = "query Q($id: ID!, $order: GroupOrder, $after: String) { session(id: $id) {
        groups(orderBy: $order, first: 3, after: $after) {
            nodes { id participantCount createdAt } pageInfo { hasNextPage hasPreviousPage endCursor } } } }";
    for (field, field_name) in [("PARTICIPANT_COUNT", "participantCount"), ("CREATED_AT", "createdAt")] {
        let mut ascending = Vec::new();
        for direction in ["ASC", "DESC"] {
            let (mut seen, mut after) = (Vec::new(), json!(null));
            loop {
                let order = json!({ "field": field, "direction": direction });
                let data = app.data(query, json!({ "id": session, "order": order, "after": after })).await;
                let page = &data["session"]["groups"];
                assert_eq!(page["pageInfo"]["hasPreviousPage"], !seen.is_empty());
                seen.extend(
                    page["nodes"].as_array().unwrap().iter().map(|node| (node[field_name].clone(), node["id"].clone())),
                );
                if page["pageInfo"]["hasNextPage"] == false {
                    break;
                }
                after = page["pageInfo"]["endCursor"].clone();
            }
            assert_eq!(seen.len(), 20, "{field} {direction}");
            if direction == "ASC" {
                let nulls = seen.iter().take_while(|(value, _)| value.is_null()).count();
                assert_eq!(nulls, if field == "CREATED_AT" { 6 } else { 4 });
                assert!(seen[nulls..].iter().all(|(value, _)| !value.is_null()), "{seen:?}");
                ascending = seen;
            } else {
                seen.reverse();
                assert_eq!(seen, ascending);
            }
        }
    }
}

async fn pages_that_nobody_gives_are_refused(db: TestDb) {
    let app = TestApp::over(db).await;
    for arguments in [
        "first: 101",
        "first: -1",
        "last: 101",
        "first: 1, last: 1",
        "first: 2147483647",
        "after: \"x\"",
        "before: \"\"",
    ] {
        for query in [
            format!("{{ groups({arguments}) {{ nodes {{ id }} }} }}"),
            format!("{{ sessions(first: 1) {{ nodes {{ groups({arguments}) {{ nodes {{ id name jid }} }} }} }} }}"),
        ] {
            assert_eq!(app.error(&query, json!({})).await.0, "BAD_USER_INPUT", "{query}");
        }
    }
    // A cursor of one order is not valid in another order, nor in another list.
    let cursor = |list: &str| format!("{{ {list}(first: 1) {{ pageInfo {{ endCursor }} }} }}");
    for (list, order) in [("groups", "orderBy: { field: CREATED_AT }, "), ("sessions", "")] {
        let data = app.data(&cursor(list), json!({})).await;
        let after = &data[list]["pageInfo"]["endCursor"];
        let (code, _) =
            app.error(&format!("{{ groups({order}after: {after}) {{ nodes {{ id }} }} }}"), json!({})).await;
        assert_eq!(code, "BAD_USER_INPUT");
    }
}

/// The index is `whatsapp_groups (session_id, group_name, id)`. With an expression or a NULLS clause in the order, all
/// groups of each session would be read and sorted.
async fn the_first_groups_are_read_in_the_order_of_their_index(db: TestDb) {
    let (database, counter) = db.counted().await;
    let app = TestApp::with(db, database);
    app.data("{ sessions { nodes { groups(first: 10) { nodes { id } } } } }", json!({})).await;
    let statements = counter.take();
    let of_pages: Vec<_> = statements.iter().filter(|sql| sql.contains("page_parent")).collect();
    assert_eq!(of_pages.len(), 1, "{statements:#?}");
    assert!(of_pages[0].contains("ORDER BY listed.\"group_name\", listed.\"id\" LIMIT 11"), "{}", of_pages[0]);
}
