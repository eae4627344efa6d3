//! Tests of foreign keys that both databases support.

use api::catalog;

use super::{affected_rows, delete_session, group_ids, id_type, load_impact, table_impact, unaffected_group};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_table_made_a_second_ago_is_counted,
    names_are_what_they_are,
    a_composite_key_counts_where_all_of_it_refers,
    a_key_to_a_unique_column_counts,
    several_keys_of_one_table_count_a_row_once,
    a_session_is_referred_to_directly,
    this_program_s_own_tables_are_not_in_the_graph,
);

async fn a_table_made_a_second_ago_is_counted(db: TestDb) {
    let before = load_impact(&db).await;
    let (kind, groups, stays) = (id_type(db.dialect()), group_ids(&db, 2).await, unaffected_group(&db).await);
    db.exec(&format!(
        "CREATE TABLE notes (group_id {kind} NOT NULL REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO notes VALUES ('{}'), ('{}'), ('{stays}')",
        groups[0], groups[1]
    ))
    .await;
    let found = table_impact(&db, "notes").await.unwrap();
    assert_eq!((found.rows_deleted, found.rows_unlinked), (2, 0));
    assert_eq!(found.references.len(), 1);
    let reference = &found.references[0];
    assert_eq!((reference.constraint.as_str(), reference.rows), ("notes_group_id_fkey", 2));
    assert_eq!(
        (reference.referenced_table.as_str(), &reference.columns[..]),
        ("whatsapp_groups", &["group_id".to_owned()][..])
    );
    assert_eq!(load_impact(&db).await.rows_deleted, before.rows_deleted + 2);
    db.exec("DROP TABLE notes").await;
    assert_eq!(load_impact(&db).await, before);
}

async fn names_are_what_they_are(db: TestDb) {
    let (kind, group) = (id_type(db.dialect()), group_ids(&db, 1).await.remove(0));
    let odd = r#"Odd "Table" é'; --"#;
    let quoted = api::db::quote(odd);
    db.exec(&format!(
        "CREATE TABLE {quoted} (\"The Key\" integer PRIMARY KEY, \"Group \"\"Id\"\"\" {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         CREATE TABLE \"Select\" (\"From\" integer REFERENCES {quoted} (\"The Key\"), \"group\" {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO {quoted} VALUES (1, '{group}'), (2, NULL); \
         INSERT INTO \"Select\" VALUES (1, '{group}'), (2, NULL)"
    ))
    .await;
    let found = table_impact(&db, odd).await.unwrap();
    assert_eq!((found.rows_deleted, found.rows_unlinked), (0, 1));
    assert_eq!(found.references[0].columns, [r#"Group "Id""#]);
    assert_eq!(affected_rows(&db, "Select").await, Some((1, 0)));
    delete_session(&db).await;
    assert_eq!(db.snapshot(&quoted).await, ["1,NULL", "2,NULL"].map(|row| snapshot_row(&db, row)));
    assert_eq!(db.count("\"Select\"").await, 1);
}

/// Returns a row in the snapshot format of the database. PostgreSQL writes a composite value.
fn snapshot_row(db: &TestDb, row: &str) -> String {
    match db.dialect() {
        api::db::Dialect::Postgres => format!("({})", row.replace("NULL", "")),
        api::db::Dialect::Sqlite => row.to_owned(),
    }
}

async fn a_composite_key_counts_where_all_of_it_refers(db: TestDb) {
    let (kind, groups, session) = (id_type(db.dialect()), group_ids(&db, 3).await, super::session());
    db.exec(&format!(
        "CREATE UNIQUE INDEX pair ON whatsapp_groups (session_id, id); \
         CREATE TABLE notes (n integer, g {kind}, s {kind}, \
           FOREIGN KEY (s, g) REFERENCES whatsapp_groups (session_id, id) ON DELETE CASCADE); \
         INSERT INTO notes VALUES (1, '{0}', '{session}'), (2, '{1}', '{session}'), (3, '{2}', NULL), (4, NULL, '{session}')",
        groups[0], groups[1], groups[2]
    ))
    .await;
    let found = table_impact(&db, "notes").await.unwrap();
    assert_eq!((found.rows_deleted, &found.references[0].columns), (2, &vec!["s".to_owned(), "g".to_owned()]));
    delete_session(&db).await;
    assert_eq!(db.rows("SELECT n FROM notes ORDER BY n").await, [["3"], ["4"]]);
}

async fn a_key_to_a_unique_column_counts(db: TestDb) {
    let group = group_ids(&db, 1).await.remove(0);
    db.exec(&format!(
        "UPDATE whatsapp_groups SET group_jid = CAST(id AS text); \
         CREATE UNIQUE INDEX jid ON whatsapp_groups (group_jid); \
         CREATE TABLE notes (jid text REFERENCES whatsapp_groups (group_jid) ON DELETE CASCADE); \
         INSERT INTO notes VALUES ('{group}'), ('{group}'), ('{}')",
        unaffected_group(&db).await
    ))
    .await;
    assert_eq!(affected_rows(&db, "notes").await, Some((2, 0)));
    delete_session(&db).await;
    assert_eq!(db.count("notes").await, 1);
}

async fn several_keys_of_one_table_count_a_row_once(db: TestDb) {
    let (kind, groups, stays) = (id_type(db.dialect()), group_ids(&db, 2).await, unaffected_group(&db).await);
    db.exec(&format!(
        "CREATE TABLE notes (n integer, one {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
           two {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
           three {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL, \
           four {kind} REFERENCES whatsapp_groups (id)); \
         INSERT INTO notes VALUES (1, '{0}', '{1}', '{0}', '{0}'), (2, '{stays}', '{0}', '{0}', NULL), \
           (3, '{stays}', '{stays}', '{0}', '{stays}'), (4, NULL, NULL, NULL, NULL)",
        groups[0], groups[1]
    ))
    .await;
    // The first row is deleted through two keys, so it is neither unlinked nor a blocker.
    assert_eq!(affected_rows(&db, "notes").await, Some((2, 1)));
    delete_session(&db).await;
    assert_eq!(db.rows("SELECT n FROM notes WHERE three IS NULL ORDER BY n").await, [["3"], ["4"]]);
}

async fn a_session_is_referred_to_directly(db: TestDb) {
    let (kind, session) = (id_type(db.dialect()), super::session());
    db.exec(&format!(
        "CREATE TABLE logins (session {kind} REFERENCES whatsapp_sessions (id) ON DELETE CASCADE); \
         CREATE TABLE devices (session {kind} REFERENCES whatsapp_sessions (id) ON DELETE SET NULL); \
         INSERT INTO logins VALUES ('{session}'), ('{session}'); INSERT INTO devices VALUES ('{session}')"
    ))
    .await;
    assert_eq!((affected_rows(&db, "logins").await, affected_rows(&db, "devices").await), (Some((2, 0)), Some((0, 1))));
    delete_session(&db).await;
    assert_eq!((db.count("logins").await, db.count("devices").await), (0, 1));
}

async fn this_program_s_own_tables_are_not_in_the_graph(db: TestDb) {
    let database = db.database().await;
    let graph = catalog::load_graph(database.pool(), database.dialect(), database.schema()).await.unwrap();
    let mut names: Vec<&str> = graph.tables.iter().map(|table| table.display.as_str()).collect();
    names.sort_unstable();
    let business = [
        "dynamic_links",
        "notification_campaign_groups",
        "scheduled_webinar_messages",
        "scheduled_whatsapp_messages",
        "webinar_whatsapp_groups",
        "webinars",
        "whatsapp_group_admins",
        "whatsapp_groups",
        "whatsapp_sessions",
        "workshop_group_members",
        "workshop_whatsapp_groups",
        "workshops",
    ];
    assert_eq!(names, business);
    assert_eq!(graph.tables[graph.root].name, "whatsapp_sessions");
}
