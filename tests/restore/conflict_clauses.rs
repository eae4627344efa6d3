//! Tests that a restore replaces no rows in tables with an ON CONFLICT clause.

use super::{STALE, delete, find_first_group, find_only_conflict, restore_deletion};
use crate::support::{TestDb, WithTerms as _, only};

only!(sqlite Adopted:
    a_row_made_since_is_not_replaced,
    a_row_in_the_way_is_not_passed_over,
    a_row_is_not_replaced_by_one_that_is_linked_again,
    a_row_is_not_replaced_by_one_that_is_unlinked,
);

async fn create_pins_and_delete(db: &TestDb, clause: &str) -> String {
    let group = find_first_group(db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE pins (id integer PRIMARY KEY, slug text UNIQUE {clause}, \
         group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO pins VALUES (1, 'a', '{group}'), (2, 'b', '{group}')"
    ))
    .await;
    group
}

async fn assert_conflicts(db: TestDb, clause: &str) {
    let group = create_pins_and_delete(&db, clause).await;
    let deletion = delete(&db, STALE).await;
    db.exec("INSERT INTO pins VALUES (9, 'a', NULL)").await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "1"));
    assert!(message.starts_with("Another row now has the same slug (a)"), "{message}");
    db.exec("DELETE FROM pins").await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.count(&format!("pins WHERE group_id = '{group}'")).await, 2);
}

async fn a_row_made_since_is_not_replaced(db: TestDb) {
    assert_conflicts(db, "ON CONFLICT REPLACE").await;
}

async fn a_row_in_the_way_is_not_passed_over(db: TestDb) {
    assert_conflicts(db, "on  conflict\nIGNORE").await;
}

async fn a_row_is_not_replaced_by_one_that_is_linked_again(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE links (id integer PRIMARY KEY, \
         group_id text UNIQUE ON CONFLICT REPLACE REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         CREATE TABLE old (id integer PRIMARY KEY, group_id text); \
         INSERT INTO links VALUES (1, '{group}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec(&format!("PRAGMA foreign_keys = OFF; INSERT INTO links VALUES (2, '{group}')")).await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("links", "1"));
    assert!(message.starts_with(&format!("Another row now has the same group_id ({group}), which ")), "{message}");
    assert_eq!(db.count("links").await, 2);
}

/// A plain DELETE would be refused, because foreign keys do not apply the table's ON CONFLICT clause.
async fn a_row_is_not_replaced_by_one_that_is_unlinked(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    let other = find_first_group(&db, super::OTHER).await;
    db.exec(&format!(
        "CREATE TABLE links (id integer PRIMARY KEY, group_id text DEFAULT '{other}' UNIQUE ON CONFLICT REPLACE \
         REFERENCES whatsapp_groups (id) ON DELETE SET DEFAULT); \
         INSERT INTO links VALUES (1, '{group}'), (2, '{other}')"
    ))
    .await;
    let request = api::deletion::DeletionRequest {
        session_ids: vec![super::id(STALE)],
        ..api::deletion::DeletionRequest::default()
    }
    .allow_pending_messages();
    let outcome = api::deletion::delete(db.database().await, &request).await.unwrap();
    assert_eq!(outcome.refusals.len(), 1, "{outcome:?}");
    assert_eq!(db.rows("SELECT id FROM links ORDER BY id").await, [["1"], ["2"]]);
}
