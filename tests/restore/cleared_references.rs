//! References that were cleared and cannot be set again: listed row by row, like rows that cannot be put back.

use api::db::Dialect;

use super::{OTHER, STALE, delete, group_of, id_type, one_in_the_way, restored};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_value_that_is_taken_where_the_reference_was,
    a_cleared_column_that_is_unique_itself,
    another_key_of_the_same_column,
);

async fn a_value_that_is_taken_where_the_reference_was(db: TestDb) {
    let (mine, other) = (group_of(&db, STALE).await, group_of(&db, OTHER).await);
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
    let (table, key, message, _) = one_in_the_way(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("lk", "1"));
    assert_eq!(
        message,
        match db.dialect() {
            Dialect::Postgres =>
                "Another row has the same title now (a), which one_title allows once. Delete or change that row, then \
                 restore again.",
            Dialect::Sqlite =>
                "Another row has the same value now in what one_title allows once. Delete or change that row, then \
                 restore again.",
        }
    );
    db.exec("DELETE FROM lk WHERE id = 9").await;
    assert_eq!(restored(&db, &deletion).await.rows_not_relinked, 0);
}

async fn a_cleared_column_that_is_unique_itself(db: TestDb) {
    let mine = group_of(&db, STALE).await;
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "CREATE TABLE lk (id integer PRIMARY KEY, group_id {kind} UNIQUE REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         INSERT INTO lk VALUES (1, '{mine}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    // Nothing checks the new row until the group is back.
    let mut raw = db.raw().await;
    raw.exec(match db.dialect() {
        Dialect::Postgres => "ALTER TABLE lk DROP CONSTRAINT lk_group_id_fkey",
        Dialect::Sqlite => "PRAGMA foreign_keys = OFF",
    })
    .await;
    raw.exec(&format!("INSERT INTO lk VALUES (9, '{mine}')")).await;
    let (table, key, message, _) = one_in_the_way(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("lk", "1"));
    assert!(message.starts_with(&format!("Another row has the same group_id now ({mine}), which ")), "{message}");
}

async fn another_key_of_the_same_column(db: TestDb) {
    let (mine, other) = (group_of(&db, STALE).await, group_of(&db, OTHER).await);
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
    let (table, key, message, later) = one_in_the_way(&db, &first).await;
    assert_eq!((table.as_str(), key.as_str(), later), ("lk", "1", Some(second.id)));
    assert_eq!(
        message,
        format!(
            "t, b refers to the row 1, {other} of g1, which the later deletion {} took. Restore that one first.",
            second.id
        )
    );
    restored(&db, &second).await;
    restored(&db, &first).await;
    let row = db.rows("SELECT t, CAST(a AS text), CAST(b AS text) FROM lk").await.remove(0);
    assert_eq!(row, ["1", mine.as_str(), other.as_str()]);
}
