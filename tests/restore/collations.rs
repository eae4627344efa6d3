//! Tests of restores with keys and references that use special comparison rules.

use super::{OTHER, STALE, delete, find_conflicts, find_first_group, find_only_conflict, restore_deletion};
use crate::support::{TestDb, only};

only!(sqlite Adopted:
    a_unique_value_without_regard_to_case,
    a_primary_key_without_regard_to_case,
    a_parent_without_regard_to_case_is_no_orphan,
);

only!(postgres Adopted:
    a_parent_of_another_collation,
    a_parent_of_another_collation_that_goes_as_well,
    a_parent_of_another_collation_without_a_key,
    a_parent_with_a_key_of_fixed_width,
);

async fn a_unique_value_without_regard_to_case(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE pins (id integer PRIMARY KEY, label text, group_id text REFERENCES whatsapp_groups (id) \
         ON DELETE CASCADE); CREATE UNIQUE INDEX one_label ON pins (label COLLATE NOCASE); \
         INSERT INTO pins VALUES (1, 'Mine', '{group}'), (2, 'Yours', '{group}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("INSERT INTO pins VALUES (9, 'MINE', NULL)").await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "1"));
    assert_eq!(
        message,
        "Another row now has the same label (Mine), which one_label allows only once. Delete or change that row, then \
         restore again."
    );
}

async fn a_primary_key_without_regard_to_case(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    for form in ["", " WITHOUT ROWID"] {
        db.exec(&format!(
            "DROP TABLE IF EXISTS pins; \
             CREATE TABLE pins (id text COLLATE NOCASE NOT NULL PRIMARY KEY, group_id text REFERENCES whatsapp_groups (id) \
             ON DELETE CASCADE){form}; INSERT INTO pins VALUES ('Mine', '{group}'), ('Yours', '{group}')"
        ))
        .await;
        let deletion = delete(&db, STALE).await;
        db.exec("INSERT INTO pins VALUES ('mine', NULL)").await;
        let (_, key, message, _) = find_only_conflict(&db, &deletion).await;
        assert_eq!(key, "Mine");
        assert!(
            message.starts_with("Another row now has the same id (Mine), which the primary key allows"),
            "{message}"
        );
        db.exec("DELETE FROM pins").await;
        restore_deletion(&db, &deletion).await;
    }
}

async fn a_parent_without_regard_to_case_is_no_orphan(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE pins (code text COLLATE NOCASE NOT NULL PRIMARY KEY, label text UNIQUE, \
         group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE holes (id integer PRIMARY KEY, pin text REFERENCES pins (code) ON DELETE CASCADE); \
         INSERT INTO pins VALUES ('AbC', 'a', '{group}'), ('dEf', 'd', '{group}'); \
         INSERT INTO holes VALUES (1, 'aBc'), (2, 'DEF')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("INSERT INTO pins VALUES ('other', 'd', NULL)").await;
    let found = find_conflicts(&db, &deletion).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("pins", "dEf"));
}

async fn a_parent_of_another_collation(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE codes (code text COLLATE \"C\" PRIMARY KEY); \
         CREATE TABLE pins (id integer PRIMARY KEY, code text COLLATE \"POSIX\" REFERENCES codes (code) ON DELETE SET NULL, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO codes VALUES ('a'), ('b'); INSERT INTO pins VALUES (1, 'a', '{group}'), (2, 'b', '{group}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("DELETE FROM codes WHERE code = 'b'").await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "2"));
    assert_eq!(
        message,
        "code refers to the row b of codes, which no longer exists. Insert that row, then restore again."
    );
}

async fn a_parent_of_another_collation_that_goes_as_well(db: TestDb) {
    let (mine, other) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE codes (code text COLLATE \"C\" PRIMARY KEY, label text UNIQUE, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE pins (id integer PRIMARY KEY, code text COLLATE \"POSIX\" REFERENCES codes (code) ON DELETE SET NULL, \
         next text COLLATE \"POSIX\" DEFAULT 'x' REFERENCES codes (code) ON DELETE SET DEFAULT); \
         CREATE TABLE holes (id integer PRIMARY KEY, code text COLLATE \"POSIX\" REFERENCES codes (code) ON DELETE CASCADE); \
         INSERT INTO codes VALUES ('a', 'a', '{mine}'), ('d', 'd', '{mine}'), ('x', 'x', '{other}'); \
         INSERT INTO pins VALUES (1, 'a', 'd'), (2, 'd', 'x'); INSERT INTO holes VALUES (1, 'a'), (2, 'd'), (3, 'x')"
    ))
    .await;
    let tables = ["codes", "pins", "holes"];
    let before = db.dump(&tables).await;
    let deletion = delete(&db, STALE).await;
    assert_eq!((db.count("codes").await, db.count("holes").await), (1, 1));
    db.exec("INSERT INTO codes VALUES ('other', 'd', NULL)").await;
    let (table, key, ..) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("codes", "d"));
    db.exec("DELETE FROM codes WHERE code = 'other'").await;
    restore_deletion(&db, &deletion).await;
    assert!(db.dump(&tables).await == before);
}

async fn a_parent_of_another_collation_without_a_key(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE codes (code text COLLATE \"C\" PRIMARY KEY, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE parts (code text COLLATE \"C\" UNIQUE REFERENCES codes (code) ON DELETE SET NULL); \
         CREATE TABLE pins (id integer PRIMARY KEY, code text COLLATE \"POSIX\" REFERENCES parts (code) ON UPDATE CASCADE); \
         INSERT INTO codes VALUES ('a', '{group}'), ('b', '{group}'); INSERT INTO parts VALUES ('a'), ('b'); \
         INSERT INTO pins VALUES (1, 'a'), (2, 'b')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    assert_eq!(db.rows("SELECT code FROM pins").await, [["NULL"], ["NULL"]]);
    db.exec("ALTER TABLE parts DROP CONSTRAINT parts_code_fkey; INSERT INTO parts VALUES ('b')").await;
    // Counts both parts, and the pin of the missing part.
    assert_eq!(restore_deletion(&db, &deletion).await.rows_not_relinked, 3);
    assert_eq!(db.rows("SELECT code FROM pins ORDER BY id").await, [["NULL"], ["b"]]);
}

/// A trailing blank in the key is archived, but is not significant in comparisons.
async fn a_parent_with_a_key_of_fixed_width(db: TestDb) {
    let (mine, other) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE codes (id char(8) PRIMARY KEY, group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE pins (id integer PRIMARY KEY, code char(8) REFERENCES codes (id) ON DELETE CASCADE, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO codes VALUES ('ab', '{other}'); INSERT INTO pins VALUES (1, 'ab', '{mine}')"
    ))
    .await;
    let first = delete(&db, STALE).await;
    let later = delete(&db, OTHER).await;
    let (table, key, _, taker) = find_only_conflict(&db, &first).await;
    assert_eq!((table.as_str(), key.as_str(), taker), ("pins", "1", Some(later.id)));
}
