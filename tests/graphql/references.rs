//! Tests of the references to a group.

use api::db::{Database, DatabaseSettings, Dialect};
use api::demo::scenario::SESSIONS;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::app::TestApp;
use crate::support::{Contents, TestDb, on_both};

on_both!(Mended:
    every_column_that_refers_is_counted,
    a_table_that_nobody_knew_is_counted,
    keys_of_several_columns_and_to_other_columns_are_counted,
    a_group_that_nothing_refers_to_has_no_references,
    keys_of_the_same_column_are_told_by_their_rules,
    groups_without_a_key_to_sessions_are_read_too,
);
on_both!(FirstFix: the_rule_is_the_one_that_the_database_has);

const REFERENCES: &str = "query Q($id: ID!) { group(id: $id) { references { table column onDelete rows } } }";

async fn fetch_references(app: &TestApp, group: &str) -> Value {
    app.data(REFERENCES, json!({ "id": group })).await["group"]["references"].take()
}

/// Returns the first groups of a connected session.
async fn find_groups(db: &TestDb, count: usize) -> Vec<String> {
    let session = SESSIONS[9].id;
    let sql = format!(
        "SELECT CAST(id AS text) FROM whatsapp_groups WHERE session_id = '{session}' ORDER BY id LIMIT {count}"
    );
    db.rows(&sql).await.into_iter().map(|mut row| row.remove(0)).collect()
}

const fn id_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "uuid",
        Dialect::Sqlite => "text",
    }
}

const KEYS: [(&str, &str, &str); 11] = [
    ("dynamic_links", "whatsapp_group_id", "SET_NULL"),
    ("notification_campaign_groups", "group_id", "CASCADE"),
    ("scheduled_webinar_messages", "group_id", "CASCADE"),
    ("scheduled_whatsapp_messages", "group_id", "CASCADE"),
    ("webinar_whatsapp_groups", "group_id", "CASCADE"),
    ("webinars", "community_group_id", "SET_NULL"),
    ("webinars", "whatsapp_group_id", "SET_NULL"),
    ("whatsapp_group_admins", "group_id", "CASCADE"),
    ("workshop_group_members", "group_id", "SET_NULL"),
    ("workshop_whatsapp_groups", "group_id", "CASCADE"),
    ("workshops", "whatsapp_group_id", "SET_NULL"),
];

/// Compares every group of the scenario, read in pages, with a separate count for each column.
async fn every_column_that_refers_is_counted(db: TestDb) {
    let mut expected: Vec<(String, Vec<Value>)> = Vec::new();
    for group in db.rows("SELECT CAST(id AS text) FROM whatsapp_groups ORDER BY group_name, id").await {
        expected.push((group[0].clone(), Vec::new()));
    }
    let mut used = 0;
    for (table, column, rule) in KEYS {
        let sql = format!("SELECT CAST({column} AS text), count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY 1");
        let counts = db.rows(&sql).await;
        used += usize::from(!counts.is_empty());
        for count in counts {
            let group = expected.iter_mut().find(|(id, _)| *id == count[0]).unwrap();
            let rows: i64 = count[1].parse().unwrap();
            group.1.push(json!({ "table": table, "column": column, "onDelete": rule, "rows": rows }));
        }
    }
    assert_eq!(used, 11, "the scenario has rows for every key");
    let app = TestApp::over(db).await;
    let query = "query Q($after: String) { groups(first: 100, after: $after) {
        nodes { id references { table column onDelete rows } } pageInfo { hasNextPage endCursor } } }";
    let (mut seen, mut after) = (Vec::new(), json!(null));
    loop {
        let mut page = app.data(query, json!({ "after": after })).await["groups"].take();
        for node in page["nodes"].as_array_mut().unwrap() {
            let references = node["references"].take();
            seen.push((node["id"].as_str().unwrap().to_owned(), references.as_array().unwrap().clone()));
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].take();
    }
    assert_eq!(seen, expected);
}

async fn the_rule_is_the_one_that_the_database_has(db: TestDb) {
    let group = db.rows("SELECT CAST(min(CAST(group_id AS text)) AS text) FROM notification_campaign_groups").await;
    let app = TestApp::over(db).await;
    let references = fetch_references(&app, &group[0][0]).await;
    let found = references.as_array().unwrap().iter().find(|one| one["table"] == "notification_campaign_groups");
    assert_eq!(found.unwrap()["onDelete"], "SET_NULL");
}

async fn a_table_that_nobody_knew_is_counted(db: TestDb) {
    let (kind, group) = (id_type(db.dialect()), find_groups(&db, 1).await.remove(0));
    let app = TestApp::over(db).await;
    let before = fetch_references(&app, &group).await;
    app.db
        .exec(&format!(
            "CREATE TABLE \"Our Notes\" (n integer, \"The Group\" {kind} REFERENCES whatsapp_groups (id) ON DELETE RESTRICT); \
             INSERT INTO \"Our Notes\" VALUES (1, '{group}'), (2, '{group}'), (3, NULL)"
        ))
        .await;
    let mut expected = before.as_array().unwrap().clone();
    // Uppercase letters sort before lowercase letters.
    let own = json!({ "table": "Our Notes", "column": "The Group", "onDelete": "RESTRICT", "rows": 2 });
    expected.insert(0, own);
    assert_eq!(fetch_references(&app, &group).await, json!(expected));
    app.db.exec("DELETE FROM \"Our Notes\"").await;
    assert_eq!(fetch_references(&app, &group).await, before);
}

async fn keys_of_several_columns_and_to_other_columns_are_counted(db: TestDb) {
    let (kind, groups, session) = (id_type(db.dialect()), find_groups(&db, 3).await, SESSIONS[9].id);
    db.exec(&format!(
        "CREATE UNIQUE INDEX pair ON whatsapp_groups (session_id, id); \
         CREATE UNIQUE INDEX jid ON whatsapp_groups (group_jid); \
         CREATE TABLE a_pairs (n integer, g {kind}, s {kind}, \
           FOREIGN KEY (s, g) REFERENCES whatsapp_groups (session_id, id) ON DELETE SET NULL); \
         CREATE TABLE b_jids (jid text REFERENCES whatsapp_groups (group_jid)); \
         INSERT INTO a_pairs VALUES (1, '{0}', '{session}'), (2, '{0}', '{session}'), (3, '{0}', NULL), (4, NULL, '{session}'); \
         INSERT INTO b_jids SELECT group_jid FROM whatsapp_groups WHERE id IN ('{0}', '{1}')",
        groups[0], groups[1]
    ))
    .await;
    let app = TestApp::over(db).await;
    let own = async |group: &str| -> Vec<Value> {
        let found = fetch_references(&app, group).await;
        found
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| ["a_pairs", "b_jids"].iter().any(|name| one["table"] == *name))
            .cloned()
            .collect()
    };
    let pairs = json!({ "table": "a_pairs", "column": "s, g", "onDelete": "SET_NULL", "rows": 2 });
    let jids = json!({ "table": "b_jids", "column": "jid", "onDelete": "NO_ACTION", "rows": 1 });
    assert_eq!(own(&groups[0]).await, [pairs, jids.clone()]);
    assert_eq!(own(&groups[1]).await, [jids]);
    assert_eq!(own(&groups[2]).await, Vec::<Value>::new());
}

async fn a_group_that_nothing_refers_to_has_no_references(db: TestDb) {
    let group = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
    let session = SESSIONS[0].id;
    db.exec(&format!(
        "INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name) VALUES ('{group}', '{session}', 'j', 'n')"
    ))
    .await;
    assert_eq!(fetch_references(&TestApp::over(db).await, group).await, json!([]));
}

/// A duplicate foreign key counts once.
async fn keys_of_the_same_column_are_told_by_their_rules(db: TestDb) {
    let (kind, group) = (id_type(db.dialect()), find_groups(&db, 1).await.remove(0));
    db.exec(&format!(
        "CREATE TABLE a_notes (g {kind}, FOREIGN KEY (g) REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
           FOREIGN KEY (g) REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
           FOREIGN KEY (g) REFERENCES whatsapp_groups (id)); \
         INSERT INTO a_notes VALUES ('{group}'), ('{group}')"
    ))
    .await;
    let references = fetch_references(&TestApp::over(db).await, &group).await;
    let note = |rule: &str| json!({ "table": "a_notes", "column": "g", "onDelete": rule, "rows": 2 });
    assert_eq!(references.as_array().unwrap()[..2], [note("CASCADE"), note("NO_ACTION")]);
}

/// The foreign-key graph starts from the groups, so it exists even if they do not refer to sessions.
async fn groups_without_a_key_to_sessions_are_read_too(db: TestDb) {
    if db.dialect() == Dialect::Postgres {
        db.exec("ALTER TABLE whatsapp_groups DROP CONSTRAINT whatsapp_groups_session_id_fkey").await;
    } else {
        db.exec(
            "PRAGMA foreign_keys = OFF; CREATE TABLE other AS SELECT * FROM whatsapp_groups; DROP TABLE whatsapp_groups; \
             CREATE TABLE whatsapp_groups (id text PRIMARY KEY, session_id text, group_name text); \
             INSERT INTO whatsapp_groups SELECT id, session_id, group_name FROM other; DROP TABLE other",
        )
        .await;
    }
    let group = db.rows("SELECT CAST(min(CAST(group_id AS text)) AS text) FROM whatsapp_group_admins").await;
    let app = TestApp::over(db).await;
    let references = fetch_references(&app, &group[0][0]).await;
    assert!(references.as_array().unwrap().iter().any(|one| one["table"] == "whatsapp_group_admins"), "{references}");
}

/// Rows of partitions count once, whether the foreign key belongs to the table or to the partition.
#[tokio::test]
async fn postgres_rows_of_partitions_count_once() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    let group = find_groups(&db, 1).await.remove(0);
    db.exec(&format!(
        "CREATE TABLE a_parted (n integer, g uuid) PARTITION BY LIST (n); \
         CREATE TABLE one PARTITION OF a_parted FOR VALUES IN (1); \
         CREATE TABLE two PARTITION OF a_parted FOR VALUES IN (2); \
         ALTER TABLE one ADD FOREIGN KEY (g) REFERENCES whatsapp_groups (id) ON DELETE CASCADE; \
         ALTER TABLE two ADD FOREIGN KEY (g) REFERENCES whatsapp_groups (id) ON DELETE CASCADE; \
         INSERT INTO a_parted VALUES (1, '{group}'), (2, '{group}'), (2, '{group}')"
    ))
    .await;
    let app = TestApp::over(db).await;
    let first = async || fetch_references(&app, &group).await[0].take();
    let expected = json!({ "table": "a_parted", "column": "g", "onDelete": "CASCADE", "rows": 3 });
    assert_eq!(first().await, expected);
    app.db.exec("ALTER TABLE a_parted ADD FOREIGN KEY (g) REFERENCES whatsapp_groups (id) ON DELETE CASCADE").await;
    assert_eq!(first().await, expected);
}

/// An error is better than a wrong count.
#[tokio::test]
async fn postgres_a_table_that_hides_rows_is_named() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    let name = format!("role_{}", Uuid::new_v4().simple());
    db.exec(&format!(
        "CREATE ROLE {name} LOGIN PASSWORD 'test'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}; \
         REVOKE SELECT ON webinars FROM {name}"
    ))
    .await;
    let group = find_groups(&db, 1).await.remove(0);
    let (scheme, rest) = db.url().split_once("://").unwrap();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let database = Database::connect(DatabaseSettings::new(format!("{scheme}://{name}:test@{host}"))).await.unwrap();
    let app = TestApp::with(db, database.clone());
    let (code, message) = app.error(REFERENCES, json!({ "id": group })).await;
    let expected = "This role may not read webinars, so what refers to a group cannot be known. Grant it SELECT.";
    assert_eq!((code.as_str(), message.as_str()), ("INTERNAL", expected));
    app.db
        .exec(&format!(
            "GRANT SELECT ON webinars TO {name}; ALTER TABLE webinars ENABLE ROW LEVEL SECURITY; \
             CREATE POLICY few ON webinars USING (title = 'W')"
        ))
        .await;
    let (_, message) = app.error(REFERENCES, json!({ "id": group })).await;
    assert!(message.starts_with("Row-level security may hide rows of webinars from this role"), "{message}");
    // All other fields of the group can still be read.
    app.data("query Q($id: ID!) { group(id: $id) { name session { id groupCount } } }", json!({ "id": group })).await;
    app.db.exec("ALTER TABLE webinars DISABLE ROW LEVEL SECURITY").await;
    assert!(fetch_references(&app, &group).await.is_array());
    database.close().await.unwrap();
    app.db.exec(&format!("DROP OWNED BY {name}; DROP ROLE {name}")).await;
}
