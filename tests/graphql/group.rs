//! Tests of the query of a group by its id, also in adopted databases that lack columns.

use api::db::Dialect;
use api::demo::scenario::SESSIONS;
use serde_json::json;

use crate::http::app::TestApp;
use crate::support::legacy::{Legacy, Rules};
use crate::support::{TestDb, on_both};

on_both!(Mended:
    a_group_is_read_by_its_id_and_as_a_node,
    an_unknown_group_is_null,
    a_session_says_how_many_groups_it_has,
    a_group_of_a_session_that_is_gone_says_so,
);
on_both!(Empty:
    the_two_columns_that_are_certain_are_enough,
    a_name_that_is_missing_is_made_up_for,
);

const GROUP: &str = "id jid name participantCount createdAt updatedAt session { id name }";

async fn find_group_id(db: &TestDb, jid: &str) -> String {
    db.rows(&format!("SELECT CAST(id AS text) FROM whatsapp_groups WHERE group_jid = '{jid}'")).await[0][0].clone()
}

async fn a_group_is_read_by_its_id_and_as_a_node(db: TestDb) {
    let row = db
        .rows(&format!(
            "SELECT CAST(id AS text), group_jid, group_name, participant_count FROM whatsapp_groups \
             WHERE session_id = '{}' ORDER BY group_name LIMIT 1",
            SESSIONS[9].id
        ))
        .await
        .remove(0);
    let query = format!(
        "query Q($id: ID!) {{ group(id: $id) {{ __typename {GROUP} }} node(id: $id) {{ id ... on Group {{ name }} }} }}"
    );
    let data = TestApp::over(db).await.data(&query, json!({ "id": row[0].to_uppercase() })).await;
    let group = &data["group"];
    assert_eq!((&group["__typename"], &group["id"]), (&json!("Group"), &json!(row[0])));
    assert_eq!((&group["jid"], &group["name"]), (&json!(row[1]), &json!(row[2])));
    assert_eq!(group["participantCount"].to_string(), row[3]);
    assert!(group["createdAt"].is_string() && group["updatedAt"].is_string(), "{group}");
    assert_eq!(group["session"], json!({ "id": SESSIONS[9].id, "name": SESSIONS[9].name }));
    assert_eq!(data["node"], json!({ "id": row[0], "name": row[2] }));
}

async fn an_unknown_group_is_null(db: TestDb) {
    let app = TestApp::over(db).await;
    // The id of a session is not the id of a group.
    for id in ["00000000-0000-4000-8000-000000000000", SESSIONS[0].id] {
        assert_eq!(
            app.data("query Q($id: ID!) { group(id: $id) { id } }", json!({ "id": id })).await["group"],
            json!(null)
        );
    }
    let (code, _) = app.error("{ group(id: \"1\") { id } }", json!({})).await;
    assert_eq!(code, "BAD_USER_INPUT");
}

async fn a_session_says_how_many_groups_it_has(db: TestDb) {
    let app = TestApp::over(db).await;
    let data = app
        .data("{ sessions { nodes { id groupCount groups(first: 0) { totalCount nodes { id } } } } }", json!({}))
        .await;
    let nodes = data["sessions"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 14);
    for node in nodes {
        let session = SESSIONS.iter().find(|session| node["id"] == session.id).unwrap();
        assert_eq!(
            (&node["groupCount"], &node["groups"]["totalCount"]),
            (&json!(session.groups), &json!(session.groups))
        );
        assert_eq!(node["groups"]["nodes"], json!([]));
    }
    app.db.exec(&format!("DELETE FROM whatsapp_groups WHERE session_id = '{}'", SESSIONS[9].id)).await;
    let query = "query Q($id: ID!) { session(id: $id) { groupCount groups { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage } } } }";
    let session = app.data(query, json!({ "id": SESSIONS[9].id })).await["session"].take();
    let none = json!({ "totalCount": 0, "nodes": [], "pageInfo": { "hasNextPage": false, "hasPreviousPage": false } });
    assert_eq!(session, json!({ "groupCount": 0, "groups": none }));
}

async fn a_group_of_a_session_that_is_gone_says_so(db: TestDb) {
    let id = find_group_id(&db, &db.rows("SELECT min(group_jid) FROM whatsapp_groups").await[0][0]).await;
    let missing_id = "00000000-0000-4000-8000-000000000000";
    db.exec(match db.dialect() {
        Dialect::Postgres => "ALTER TABLE whatsapp_groups DROP CONSTRAINT whatsapp_groups_session_id_fkey",
        Dialect::Sqlite => "PRAGMA foreign_keys = OFF",
    })
    .await;
    db.exec(&format!("UPDATE whatsapp_groups SET session_id = '{missing_id}' WHERE id = '{id}'")).await;
    let app = TestApp::over(db).await;
    let query = "query Q($id: ID!) { group(id: $id) { name session { id } } }";
    let (code, message) = app.error(query, json!({ "id": id })).await;
    assert_eq!(code, "INTERNAL");
    assert!(message.contains(&id) && message.contains("doctor"), "{message}");
}

async fn the_two_columns_that_are_certain_are_enough(db: TestDb) {
    let mut legacy = Legacy::new(Rules::mended());
    for column in ["group_jid", "group_name", "participant_count", "created_at", "updated_at"] {
        legacy = legacy.without_column("whatsapp_groups", column);
    }
    db.exec_all(&legacy.statements(db.dialect())).await;
    let (session, group) = (SESSIONS[0].id, "6f9619ff-8b86-4d01-b42d-00cf4fc964ff");
    db.exec(&format!(
        "INSERT INTO whatsapp_sessions (id, session_name, status) VALUES ('{session}', 's', 'connected'); \
         INSERT INTO whatsapp_groups (id, session_id) VALUES ('{group}', '{session}')"
    ))
    .await;
    let app = TestApp::over(db).await;
    let expected = json!({ "id": group, "jid": null, "name": "6f9619ff", "participantCount": null, "createdAt": null,
        "updatedAt": null, "session": { "id": session, "name": "s" } });
    let data = app.data(&format!("query Q($id: ID!) {{ group(id: $id) {{ {GROUP} }} }}"), json!({ "id": group })).await;
    assert_eq!(data["group"], expected);
    for field in ["NAME", "PARTICIPANT_COUNT", "CREATED_AT"] {
        let query = format!(
            "{{ groups(orderBy: {{ field: {field} }}, filter: {{ search: \"8B86\" }}) {{ totalCount nodes {{ {GROUP} }} }} }}"
        );
        assert_eq!(app.data(&query, json!({})).await, json!({ "groups": { "totalCount": 1, "nodes": [expected] } }));
    }
}

async fn a_name_that_is_missing_is_made_up_for(db: TestDb) {
    let id = if db.url().starts_with("sqlite") { "text" } else { "uuid" };
    let session = SESSIONS[0].id;
    let groups = [
        "6f9619ff-8b86-4d01-b42d-00cf4fc964f1",
        "00000000-8b86-4d01-b42d-00cf4fc964f2",
        "7f9619ff-8b86-4d01-b42d-00cf4fc964f3",
    ];
    db.exec(&format!(
        "CREATE TABLE whatsapp_sessions (id {id} PRIMARY KEY, status text, phone_number text); \
         CREATE TABLE whatsapp_groups (id {id} PRIMARY KEY, session_id {id} REFERENCES whatsapp_sessions (id), \
           group_name text, group_jid text); \
         INSERT INTO whatsapp_sessions VALUES ('{session}', 'connected', NULL); \
         INSERT INTO whatsapp_groups VALUES ('{}', '{session}', NULL, NULL), ('{}', '{session}', NULL, '9@g.us'), \
           ('{}', '{session}', '8 named', '1@g.us')",
        groups[0], groups[1], groups[2]
    ))
    .await;
    let app = TestApp::over(db).await;
    let query = "query Q($after: String, $before: String) { groups(first: 1, after: $after, before: $before) {
        nodes { name } pageInfo { endCursor hasNextPage } } }";
    let (mut names, mut after) = (Vec::new(), json!(null));
    for _ in 0..3 {
        let page = app.data(query, json!({ "after": after })).await["groups"].take();
        names.push(page["nodes"][0]["name"].clone());
        after = page["pageInfo"]["endCursor"].clone();
        assert_eq!(page["pageInfo"]["hasNextPage"], names.len() < 3);
    }
    assert_eq!(names, ["6f9619ff", "8 named", "9@g.us"]);
}
