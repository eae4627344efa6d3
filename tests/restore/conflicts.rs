//! Tests of keys that are in use again, and of missing parents: each row is listed, nothing is written, and once the
//! conflict is resolved the restore succeeds.

use api::db::Dialect;

use super::{
    LIVE, STALE, TABLES, delete, find_conflicts, find_first_group, find_only_conflict, id, id_type, query_value,
    restore_deletion,
};
use crate::support::{TestDb, on_both, only};

on_both!(Adopted:
    a_primary_key_that_is_taken,
    several_rows_that_are_taken_are_all_listed,
    a_unique_value_that_is_taken,
    a_value_in_an_index_over_some_rows_that_is_taken,
    a_value_in_an_index_over_an_expression_that_is_taken,
    a_value_that_is_worked_out_and_taken,
    a_parent_that_is_gone,
    a_check_that_is_new,
    a_row_that_a_trigger_keeps_out,
);

only!(postgres Adopted: a_null_that_is_allowed_once, a_range_that_is_taken);

async fn a_primary_key_that_is_taken(db: TestDb) {
    let before = db.dump(&TABLES).await;
    let deletion = delete(&db, STALE).await;
    db.exec(&format!("INSERT INTO whatsapp_sessions (id, session_name) VALUES ('{}', 'again')", id(STALE))).await;
    let (table, key, message, first) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key, first), ("whatsapp_sessions", id(STALE).to_string(), None));
    assert!(message.starts_with(&format!("Another row now has the same id ({}), which ", id(STALE))), "{message}");
    assert!(message.ends_with("allows only once. Delete or change that row, then restore again."), "{message}");
    db.exec(&format!("DELETE FROM whatsapp_sessions WHERE id = '{}'", id(STALE))).await;
    restore_deletion(&db, &deletion).await;
    assert!(db.dump(&TABLES).await == before);
}

async fn several_rows_that_are_taken_are_all_listed(db: TestDb) {
    let groups = db
        .rows(&format!("SELECT CAST(id AS text) FROM whatsapp_groups WHERE session_id = '{}' ORDER BY 1", id(STALE)))
        .await;
    let deletion = delete(&db, STALE).await;
    for group in &groups[..3] {
        db.exec(&format!(
            "INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name) \
             SELECT '{}', min(CAST(id AS text)){}, 'x', 'taken' FROM whatsapp_sessions",
            group[0],
            if db.dialect() == api::db::Dialect::Postgres { "::uuid" } else { "" }
        ))
        .await;
    }
    let found = find_conflicts(&db, &deletion).await;
    let mut keys: Vec<&str> = found.iter().map(|(_, key, ..)| key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, [&groups[0][0], &groups[1][0], &groups[2][0]]);
    assert!(found.iter().all(|(table, ..)| table == "whatsapp_groups"));
}

/// Creates a table of pins, of which one belongs to a group of the session, and deletes the session.
async fn create_pins_and_delete(db: &TestDb, index: &str) -> api::deletion::Deletion {
    let kind = id_type(db.dialect());
    let group = find_first_group(db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE pins (id integer PRIMARY KEY, label text, active boolean, \
         group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE); {index}; \
         INSERT INTO pins VALUES (1, 'Mine', true, '{group}'), (2, 'Yours', false, '{group}')"
    ))
    .await;
    let deletion = delete(db, STALE).await;
    assert_eq!(db.count("pins").await, 0);
    deletion
}

/// Inserts a conflicting row, asserts that it blocks the restore of a pin, deletes it and restores. Returns the
/// conflict's message.
async fn assert_blocks_pin(db: &TestDb, deletion: &api::deletion::Deletion, row: &str) -> String {
    db.exec(&format!("INSERT INTO pins VALUES {row}")).await;
    let (table, key, message, _) = find_only_conflict(db, deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "1"));
    db.exec("DELETE FROM pins").await;
    restore_deletion(db, deletion).await;
    assert_eq!(query_value(db, "SELECT count(*) FROM pins WHERE group_id IS NOT NULL").await, "2");
    message
}

async fn a_unique_value_that_is_taken(db: TestDb) {
    let deletion = create_pins_and_delete(&db, "CREATE UNIQUE INDEX one_label ON pins (label)").await;
    let message = assert_blocks_pin(&db, &deletion, "(9, 'Mine', false, NULL)").await;
    assert_eq!(
        message,
        "Another row now has the same label (Mine), which one_label allows only once. Delete or change that row, then \
         restore again."
    );
}

async fn a_value_in_an_index_over_some_rows_that_is_taken(db: TestDb) {
    let deletion = create_pins_and_delete(&db, "CREATE UNIQUE INDEX one_active ON pins (label) WHERE active").await;
    db.exec("INSERT INTO pins VALUES (8, 'Yours', false, NULL)").await;
    db.exec("DELETE FROM pins").await;
    let message = assert_blocks_pin(&db, &deletion, "(9, 'Mine', true, NULL)").await;
    let expected = match db.dialect() {
        Dialect::Postgres => "one_active allows only once. Delete or change that row",
        Dialect::Sqlite => "unique key one_active. Delete or change that row",
    };
    assert!(message.contains(expected), "{message}");
}

async fn a_value_in_an_index_over_an_expression_that_is_taken(db: TestDb) {
    let deletion = create_pins_and_delete(&db, "CREATE UNIQUE INDEX one_name ON pins (lower(label))").await;
    let message = assert_blocks_pin(&db, &deletion, "(9, 'MINE', true, NULL)").await;
    let expected = match db.dialect() {
        Dialect::Postgres => "one_name allows only once. Delete or change that row",
        Dialect::Sqlite => "unique key one_name. Delete or change that row",
    };
    assert!(message.contains(expected), "{message}");
}

async fn a_null_that_is_allowed_once(db: TestDb) {
    let index = "CREATE UNIQUE INDEX one_pair ON pins (label, active) NULLS NOT DISTINCT; \
                 INSERT INTO pins SELECT 3, NULL, true, id FROM whatsapp_groups WHERE session_id = ";
    let deletion = create_pins_and_delete(&db, &format!("{index}'{}' LIMIT 1", id(STALE))).await;
    db.exec("INSERT INTO pins VALUES (7, 'Yours', NULL, NULL), (8, NULL, NULL, NULL), (9, NULL, true, NULL)").await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "3"));
    assert!(
        message.starts_with("Another row now has the same label, active (null, true), which one_pair"),
        "{message}"
    );
}

async fn a_range_that_is_taken(db: TestDb) {
    let index = "ALTER TABLE pins ADD EXCLUDE USING gist (int4range(id, id + 3) WITH &&) WHERE (active)";
    let deletion = create_pins_and_delete(&db, index).await;
    db.exec("INSERT INTO pins VALUES (3, 'Theirs', true, NULL), (4, 'Nobody''s', false, NULL)").await;
    let (table, key, ..) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "1"));
    db.exec("DELETE FROM pins").await;
    restore_deletion(&db, &deletion).await;
}

async fn a_value_that_is_worked_out_and_taken(db: TestDb) {
    let (kind, group) = (id_type(db.dialect()), find_first_group(&db, STALE).await);
    db.exec(&format!(
        "CREATE TABLE pins (id integer PRIMARY KEY, label text, low text GENERATED ALWAYS AS (lower(label)) STORED UNIQUE, \
         group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO pins (id, label, group_id) VALUES (1, 'Mine', '{group}'), (2, 'Yours', '{group}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("INSERT INTO pins (id, label) VALUES (9, 'MINE')").await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "1"));
    assert!(message.ends_with(". Delete or change that row, then restore again."), "{message}");
    db.exec("DELETE FROM pins").await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.count("pins").await, 2);
}

async fn a_parent_that_is_gone(db: TestDb) {
    let keys = db
        .rows(&format!(
            "SELECT CAST(id AS text), CAST(campaign_id AS text) FROM notification_campaign_groups \
             WHERE group_id IN (SELECT id FROM whatsapp_groups WHERE session_id = '{}') ORDER BY 1",
            id(LIVE)
        ))
        .await;
    let deletion = delete(&db, LIVE).await;
    db.exec("DELETE FROM notification_campaign_groups; DELETE FROM notification_campaigns").await;
    let mut found = find_conflicts(&db, &deletion).await;
    found.sort();
    let expected: Vec<_> = keys
        .iter()
        .map(|row| {
            let message = format!(
                "campaign_id refers to the row {} of notification_campaigns, which no longer exists. Insert that row, \
                 then restore again.",
                row[1]
            );
            ("notification_campaign_groups".to_owned(), row[0].clone(), message, None)
        })
        .collect();
    assert_eq!((found.len(), found), (3, expected));
    for row in &keys {
        let campaign = &row[1];
        db.exec(&format!("INSERT INTO notification_campaigns (id, name) SELECT '{campaign}', 'again' WHERE NOT EXISTS (SELECT 1 FROM notification_campaigns WHERE id = '{campaign}')")).await;
    }
    restore_deletion(&db, &deletion).await;
}

async fn a_check_that_is_new(db: TestDb) {
    let deletion = create_pins_and_delete(&db, "SELECT 1").await;
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "DROP TABLE pins; CREATE TABLE pins (id integer PRIMARY KEY, label text CONSTRAINT short CHECK (length(label) < 3), \
         active boolean, group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE)"
    ))
    .await;
    let (_, _, message, _) = find_only_conflict(&db, &deletion).await;
    assert!(message.starts_with("The database refused: ") && message.contains("short"), "{message}");
}

async fn a_row_that_a_trigger_keeps_out(db: TestDb) {
    let deletion = create_pins_and_delete(&db, "SELECT 1").await;
    db.exec(match db.dialect() {
        api::db::Dialect::Postgres => {
            "CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
             CREATE TRIGGER keep_out BEFORE INSERT ON pins FOR EACH ROW EXECUTE FUNCTION keep_out()"
        }
        api::db::Dialect::Sqlite => "CREATE TRIGGER keep_out BEFORE INSERT ON pins BEGIN SELECT RAISE(IGNORE); END",
    })
    .await;
    let (_, _, message, _) = find_only_conflict(&db, &deletion).await;
    let went = deletion.rows_deleted;
    assert_eq!(
        message,
        format!("Of {went} rows, only {} could be restored; look for triggers and rules on the tables.", went - 2)
    );
}
