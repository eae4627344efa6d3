//! Tests of restores with binary keys that are not valid text, which SQLite allows in any column.

use super::{OTHER, STALE, delete, find_first_group, find_only_conflict, restore_deletion};
use crate::support::{TestDb, only};

only!(sqlite Adopted:
    an_unlinked_row_that_somebody_has_deleted,
    a_key_that_is_taken,
    a_row_that_an_index_over_an_expression_keeps_out,
    a_parent_that_is_gone,
    a_parent_that_a_later_deletion_took,
);

/// Creates two pins of one group of the session, with this ON DELETE rule.
async fn create_pins(db: &TestDb, rule: &str) {
    let group = find_first_group(db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE pins (id blob NOT NULL PRIMARY KEY, label text, \
         group_id text REFERENCES whatsapp_groups (id) ON DELETE {rule}); \
         INSERT INTO pins VALUES (x'ff00fe', 'a', '{group}'), (x'ff00fd', 'b', '{group}')"
    ))
    .await;
}

async fn an_unlinked_row_that_somebody_has_deleted(db: TestDb) {
    create_pins(&db, "SET NULL").await;
    let deletion = delete(&db, STALE).await;
    db.exec("DELETE FROM pins WHERE id = x'ff00fe'").await;
    assert_eq!(restore_deletion(&db, &deletion).await.rows_not_relinked, 1);
    assert_eq!(db.rows("SELECT hex(id), group_id IS NOT NULL FROM pins").await, [["FF00FD", "1"]]);
}

async fn a_key_that_is_taken(db: TestDb) {
    create_pins(&db, "CASCADE").await;
    let before = db.dump(&["pins"]).await;
    let deletion = delete(&db, STALE).await;
    db.exec("INSERT INTO pins VALUES (x'ff00fe', NULL, NULL)").await;
    let (_, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!(key, "x'ff00fe'");
    assert!(message.starts_with("Another row now has the same id (x'ff00fe'), which"), "{message}");
    db.exec("DELETE FROM pins").await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.dump(&["pins"]).await, before);
}

async fn a_row_that_an_index_over_an_expression_keeps_out(db: TestDb) {
    create_pins(&db, "CASCADE").await;
    db.exec("CREATE UNIQUE INDEX one_label ON pins (lower(label))").await;
    let deletion = delete(&db, STALE).await;
    db.exec("INSERT INTO pins VALUES (x'ff', 'A', NULL)").await;
    let (_, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!(key, "x'ff00fe'");
    assert!(message.contains("unique key one_label. Delete or change that row"), "{message}");
}

/// Creates a code with the given group, and a row of `holes` that refers to the code and to the session's group.
async fn create_holes(db: &TestDb, of_other: &str) {
    let group = find_first_group(db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE codes (id blob NOT NULL PRIMARY KEY, \
         group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE holes (id integer PRIMARY KEY, code blob REFERENCES codes (id) ON DELETE CASCADE, \
         group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO codes VALUES (x'ff00fe', {of_other}); INSERT INTO holes VALUES (1, x'ff00fe', '{group}')"
    ))
    .await;
}

async fn a_parent_that_is_gone(db: TestDb) {
    create_holes(&db, "NULL").await;
    let deletion = delete(&db, STALE).await;
    db.exec("DELETE FROM codes").await;
    let (_, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!(key, "1");
    assert!(message.starts_with("code refers to the row x'ff00fe' of codes, which no longer exists."), "{message}");
}

async fn a_parent_that_a_later_deletion_took(db: TestDb) {
    let other = find_first_group(&db, OTHER).await;
    create_holes(&db, &format!("'{other}'")).await;
    let before = db.dump(&["codes", "holes"]).await;
    let first = delete(&db, STALE).await;
    let later = delete(&db, OTHER).await;
    let (_, key, _, taker) = find_only_conflict(&db, &first).await;
    assert_eq!((key.as_str(), taker), ("1", Some(later.id)));
    restore_deletion(&db, &later).await;
    restore_deletion(&db, &first).await;
    assert_eq!(db.dump(&["codes", "holes"]).await, before);
}
