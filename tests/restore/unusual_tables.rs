//! Tests that tables of unusual shapes are restored as they were.

use super::{STALE, delete, find_first_group, find_only_conflict, id_type, restore_deletion};
use crate::support::{TestDb, on_both, only};

on_both!(Adopted: keys_that_share_a_column_and_lack_a_value, a_unique_key_that_waits_for_the_commit);
only!(sqlite Adopted: odd_names_without_rowid, a_table_that_became_strict, a_reference_of_another_type_than_its_parent);
only!(postgres Adopted:
    a_key_that_matches_in_full,
    numbers_that_are_always_given,
    an_index_over_functions_of_another_schema,
);

async fn keys_that_share_a_column_and_lack_a_value(db: TestDb) {
    let (kind, group) = (id_type(db.dialect()), find_first_group(&db, STALE).await);
    db.exec(&format!(
        "CREATE TABLE codes (a integer NOT NULL, b integer NOT NULL, \
         g {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE, PRIMARY KEY (a, b)); \
         CREATE TABLE notes (id integer PRIMARY KEY, a integer, b integer, c integer, \
         FOREIGN KEY (a, b) REFERENCES codes (a, b) ON DELETE SET NULL, \
         FOREIGN KEY (a, c) REFERENCES codes (a, b) ON DELETE SET NULL); \
         INSERT INTO codes VALUES (1, 1, '{group}'), (1, 2, NULL), (1, 3, '{group}'); \
         INSERT INTO notes VALUES (1, 1, 1, 2), (2, 1, 2, 3), (3, NULL, 1, 1), (4, 1, NULL, 3), (5, 1, 1, 3), (6, 1, NULL, NULL)"
    ))
    .await;
    let before = db.dump(&["codes", "notes"]).await;
    let deletion = delete(&db, STALE).await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.dump(&["codes", "notes"]).await, before);
}

async fn a_unique_key_that_waits_for_the_commit(db: TestDb) {
    let (kind, group) = (id_type(db.dialect()), find_first_group(&db, STALE).await);
    let waits = if kind == "uuid" { "DEFERRABLE INITIALLY DEFERRED" } else { "" };
    db.exec(&format!(
        "CREATE TABLE codes (id integer PRIMARY KEY, a integer UNIQUE {waits}, \
         g {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED); \
         INSERT INTO codes VALUES (1, 1, '{group}'), (2, 2, NULL)"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("UPDATE codes SET a = 1").await;
    let (table, key, ..) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("codes", "1"));
    db.exec("UPDATE codes SET a = 2").await;
    restore_deletion(&db, &deletion).await;
}

async fn odd_names_without_rowid(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    let name = "\"we \"\"ird; --\"";
    db.exec(&format!(
        "CREATE TABLE {name} (\"a b\" text, \"select\" text, g text REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
         \"n.\" text REFERENCES whatsapp_groups (id) ON DELETE SET NULL, PRIMARY KEY (\"a b\", \"select\")) \
         WITHOUT ROWID, STRICT; \
         INSERT INTO {name} VALUES ('', 'x', '{group}', NULL), ('y', '', NULL, '{group}')"
    ))
    .await;
    let all = format!("SELECT * FROM {name} ORDER BY 1");
    let before = db.rows(&all).await;
    let deletion = delete(&db, STALE).await;
    assert_eq!(db.rows(&all).await.len(), 1);
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.rows(&all).await, before);
}

async fn a_table_that_became_strict(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    let make = |strict: &str| {
        format!(
            "CREATE TABLE pins (id integer PRIMARY KEY, n integer, \
             group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE){strict}"
        )
    };
    db.exec(&format!("{}; INSERT INTO pins VALUES (1, 'seven', '{group}')", make(""))).await;
    let deletion = delete(&db, STALE).await;
    db.exec(&format!("DROP TABLE pins; {}", make(" STRICT"))).await;
    let (_, _, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!(message, "The database refused: cannot store TEXT value in INTEGER column pins.n.");
    db.exec(&format!("DROP TABLE pins; {}", make(""))).await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.rows("SELECT typeof(n) FROM pins").await, [["text"]]);
}

async fn a_reference_of_another_type_than_its_parent(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE codes (id integer PRIMARY KEY, label text UNIQUE, \
         group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE pins (id integer PRIMARY KEY, code text REFERENCES codes (id) ON DELETE CASCADE); \
         CREATE TABLE holes (id integer PRIMARY KEY, code real REFERENCES codes (id) ON DELETE CASCADE); \
         INSERT INTO codes VALUES (1, 'a', '{group}'); INSERT INTO pins VALUES (1, '1'); INSERT INTO holes VALUES (1, 1)"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    assert_eq!((db.count("pins").await, db.count("holes").await), (0, 0));
    db.exec("INSERT INTO codes VALUES (2, 'a', NULL)").await;
    let (table, key, ..) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("codes", "1"));
    db.exec("DELETE FROM codes").await;
    restore_deletion(&db, &deletion).await;
    assert_eq!((db.count("pins").await, db.count("holes").await), (1, 1));
}

async fn a_key_that_matches_in_full(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE codes (a integer, b integer, g uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE, PRIMARY KEY (a, b)); \
         CREATE TABLE notes (id integer PRIMARY KEY, a integer, b integer, FOREIGN KEY (a, b) REFERENCES codes (a, b) \
         MATCH FULL ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED); \
         INSERT INTO codes VALUES (1, 1, '{group}'), (1, 2, NULL); INSERT INTO notes VALUES (1, 1, 1), (2, 1, 2), (3, NULL, NULL)"
    ))
    .await;
    let before = db.dump(&["codes", "notes"]).await;
    let deletion = delete(&db, STALE).await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.dump(&["codes", "notes"]).await, before);
}

/// The table has always-generated ids and references to itself, one of them checked at the commit.
async fn numbers_that_are_always_given(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE pins (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer, \
         twice integer GENERATED ALWAYS AS (n * 2) STORED, group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
         own integer REFERENCES pins (id) ON DELETE SET NULL, up integer REFERENCES pins (id) DEFERRABLE INITIALLY DEFERRED); \
         INSERT INTO pins (n, group_id, own, up) VALUES (1, '{group}', 1, 2), (2, '{group}', 1, 1), (3, NULL, 2, NULL)"
    ))
    .await;
    let before = db.dump(&["pins"]).await;
    let deletion = delete(&db, STALE).await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.dump(&["pins"]).await, before);
}

async fn an_index_over_functions_of_another_schema(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE SCHEMA \"El se\"; \
         CREATE FUNCTION \"El se\".low(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)'; \
         CREATE TABLE pins (id integer PRIMARY KEY, \"La bel\" text, active boolean, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE UNIQUE INDEX one_label ON pins (\"El se\".low(\"La bel\" || '  '), (id % 1)) WHERE active AND \"La bel\" <> 'kept'; \
         INSERT INTO pins VALUES (1, 'A', true, '{group}'), (2, 'kept', true, '{group}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("INSERT INTO pins VALUES (3, 'a', true, NULL), (4, 'KEPT', true, NULL)").await;
    let (_, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!(key, "1");
    assert!(message.contains("one_label allows only once"), "{message}");
}
