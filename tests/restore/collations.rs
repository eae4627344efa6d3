//! Keys and references that compare in a way of their own.

use super::{OTHER, STALE, delete, group_of, in_the_way, one_in_the_way, restored};
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
    let group = group_of(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE pins (id integer PRIMARY KEY, label text, group_id text REFERENCES whatsapp_groups (id) \
         ON DELETE CASCADE); CREATE UNIQUE INDEX one_label ON pins (label COLLATE NOCASE); \
         INSERT INTO pins VALUES (1, 'Mine', '{group}'), (2, 'Yours', '{group}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("INSERT INTO pins VALUES (9, 'MINE', NULL)").await;
    let (table, key, message, _) = one_in_the_way(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "1"));
    assert_eq!(
        message,
        "Another row has the same label now (Mine), which one_label allows once. Delete or change that row, then restore \
         again."
    );
}

async fn a_primary_key_without_regard_to_case(db: TestDb) {
    let group = group_of(&db, STALE).await;
    for form in ["", " WITHOUT ROWID"] {
        db.exec(&format!(
            "DROP TABLE IF EXISTS pins; \
             CREATE TABLE pins (id text COLLATE NOCASE NOT NULL PRIMARY KEY, group_id text REFERENCES whatsapp_groups (id) \
             ON DELETE CASCADE){form}; INSERT INTO pins VALUES ('Mine', '{group}'), ('Yours', '{group}')"
        ))
        .await;
        let deletion = delete(&db, STALE).await;
        db.exec("INSERT INTO pins VALUES ('mine', NULL)").await;
        let (_, key, message, _) = one_in_the_way(&db, &deletion).await;
        assert_eq!(key, "Mine");
        assert!(
            message.starts_with("Another row has the same id now (Mine), which the primary key allows"),
            "{message}"
        );
        db.exec("DELETE FROM pins").await;
        restored(&db, &deletion).await;
    }
}

async fn a_parent_without_regard_to_case_is_no_orphan(db: TestDb) {
    let group = group_of(&db, STALE).await;
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
    let found = in_the_way(&db, &deletion).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("pins", "dEf"));
}

async fn a_parent_of_another_collation(db: TestDb) {
    let group = group_of(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE codes (code text COLLATE \"C\" PRIMARY KEY); \
         CREATE TABLE pins (id integer PRIMARY KEY, code text COLLATE \"POSIX\" REFERENCES codes (code) ON DELETE SET NULL, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO codes VALUES ('a'), ('b'); INSERT INTO pins VALUES (1, 'a', '{group}'), (2, 'b', '{group}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("DELETE FROM codes WHERE code = 'b'").await;
    let (table, key, message, _) = one_in_the_way(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "2"));
    assert_eq!(message, "code refers to the row b of codes, which is gone. Put that row back, then restore again.");
}

async fn a_parent_of_another_collation_that_goes_as_well(db: TestDb) {
    let (mine, other) = (group_of(&db, STALE).await, group_of(&db, OTHER).await);
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
    let (table, key, ..) = one_in_the_way(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("codes", "d"));
    db.exec("DELETE FROM codes WHERE code = 'other'").await;
    restored(&db, &deletion).await;
    assert!(db.dump(&tables).await == before);
}

async fn a_parent_of_another_collation_without_a_key(db: TestDb) {
    let group = group_of(&db, STALE).await;
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
    // Both parts, and the pin of the one that is not there.
    assert_eq!(restored(&db, &deletion).await.rows_not_relinked, 3);
    assert_eq!(db.rows("SELECT code FROM pins ORDER BY id").await, [["NULL"], ["b"]]);
}

/// Its blanks are kept, and do not count.
async fn a_parent_with_a_key_of_fixed_width(db: TestDb) {
    let (mine, other) = (group_of(&db, STALE).await, group_of(&db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE codes (id char(8) PRIMARY KEY, group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE pins (id integer PRIMARY KEY, code char(8) REFERENCES codes (id) ON DELETE CASCADE, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO codes VALUES ('ab', '{other}'); INSERT INTO pins VALUES (1, 'ab', '{mine}')"
    ))
    .await;
    let first = delete(&db, STALE).await;
    let later = delete(&db, OTHER).await;
    let (table, key, _, taker) = one_in_the_way(&db, &first).await;
    assert_eq!((table.as_str(), key.as_str(), taker), ("pins", "1", Some(later.id)));
}
