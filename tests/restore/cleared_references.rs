//! Tests of cleared references that cannot be set again: they are listed row by row, like rows that cannot be restored.

use api::db::Dialect;

use super::{OTHER, STALE, delete, find_first_group, find_only_conflict, id_type, restore_deletion};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_value_that_is_taken_where_the_reference_was,
    a_cleared_column_that_is_unique_itself,
    another_key_of_the_same_column,
);

async fn a_value_that_is_taken_where_the_reference_was(db: TestDb) {
    let (mine, other) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "CREATE TABLE lk (id integer PRIMARY KEY, title text, \
         group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         CREATE UNIQUE INDEX one_title ON lk (title) WHERE group_id IS NOT NULL; \
         INSERT INTO lk VALUES (1, 'a', '{mine}'), (2, 'b', '{mine}'), (3, 'b', NULL)"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec(&format!("INSERT INTO lk VALUES (9, 'a', '{other}')")).await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("lk", "1"));
    assert_eq!(
        message,
        match db.dialect() {
            Dialect::Postgres =>
                "Another row now has the same title (a), which one_title allows only once. Delete or change that row, \
                 then restore again.",
            Dialect::Sqlite =>
                "Another row now has the same value in the unique key one_title. Delete or change that row, then \
                 restore again.",
        }
    );
    db.exec("DELETE FROM lk WHERE id = 9").await;
    assert_eq!(restore_deletion(&db, &deletion).await.rows_not_relinked, 0);
}

async fn a_cleared_column_that_is_unique_itself(db: TestDb) {
    let mine = find_first_group(&db, STALE).await;
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "CREATE TABLE lk (id integer PRIMARY KEY, group_id {kind} UNIQUE REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         INSERT INTO lk VALUES (1, '{mine}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    // Without the constraint, the new row may refer to the group before the group is restored.
    let mut raw = db.raw().await;
    raw.exec(match db.dialect() {
        Dialect::Postgres => "ALTER TABLE lk DROP CONSTRAINT lk_group_id_fkey",
        Dialect::Sqlite => "PRAGMA foreign_keys = OFF",
    })
    .await;
    raw.exec(&format!("INSERT INTO lk VALUES (9, '{mine}')")).await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("lk", "1"));
    assert!(message.starts_with(&format!("Another row now has the same group_id ({mine}), which ")), "{message}");
}

async fn another_key_of_the_same_column(db: TestDb) {
    let (mine, other) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "CREATE TABLE g1 (t integer NOT NULL, g {kind} NOT NULL REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
         PRIMARY KEY (t, g)); \
         CREATE TABLE lk (id integer PRIMARY KEY, t integer, a {kind}, b {kind}, \
         FOREIGN KEY (t, a) REFERENCES g1 (t, g) ON DELETE SET NULL, \
         FOREIGN KEY (t, b) REFERENCES g1 (t, g) ON DELETE SET NULL); \
         INSERT INTO g1 VALUES (1, '{mine}'), (1, '{other}'); INSERT INTO lk VALUES (1, 1, '{mine}', '{other}')"
    ))
    .await;
    let first = delete(&db, STALE).await;
    let second = delete(&db, OTHER).await;
    let (table, key, message, later) = find_only_conflict(&db, &first).await;
    assert_eq!((table.as_str(), key.as_str(), later), ("lk", "1", Some(second.id)));
    assert_eq!(
        message,
        format!(
            "t, b refers to the row 1, {other} of g1, which the later deletion {} deleted. Restore that deletion \
             first.",
            second.id
        )
    );
    restore_deletion(&db, &second).await;
    restore_deletion(&db, &first).await;
    let row = db.rows("SELECT t, CAST(a AS text), CAST(b AS text) FROM lk").await.remove(0);
    assert_eq!(row, ["1", mine.as_str(), other.as_str()]);
}
