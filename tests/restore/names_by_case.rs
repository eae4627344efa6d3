//! Tests of restores with names that differ only in case: PostgreSQL distinguishes them, SQLite does not.

use super::{OTHER, STALE, delete, find_first_group, find_only_conflict, restore_deletion};
use crate::support::{TestDb, only};

only!(postgres Adopted:
    columns_whose_names_differ_in_case_are_two,
    a_row_of_such_a_table_that_a_later_deletion_took,
    a_key_that_is_no_longer_unique,
);
only!(sqlite Adopted:
    tables_and_columns_that_are_written_in_another_case_now,
    a_reference_to_a_table_written_in_another_case,
);

async fn columns_whose_names_differ_in_case_are_two(db: TestDb) {
    let (ours, others) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE links (\"ID\" integer NOT NULL, id integer PRIMARY KEY, \"GROUP_ID\" uuid, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         CREATE TABLE pins (\"ID\" integer NOT NULL, id integer PRIMARY KEY, \"GROUP_ID\" uuid, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO links VALUES (2, 1, '{others}', '{ours}'), (1, 2, '{others}', NULL), (2, 3, NULL, '{others}'); \
         INSERT INTO pins VALUES (2, 1, '{others}', '{ours}'), (2, 2, '{ours}', '{ours}'), (1, 3, '{ours}', '{others}')"
    ))
    .await;
    let before = db.dump(&["links", "pins"]).await;
    let deletion = delete(&db, STALE).await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.dump(&["links", "pins"]).await, before);
}

async fn a_row_of_such_a_table_that_a_later_deletion_took(db: TestDb) {
    let (ours, others) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE links (\"ID\" integer NOT NULL, id integer PRIMARY KEY, \
         a uuid REFERENCES whatsapp_groups (id) ON DELETE SET NULL, \
         b uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO links VALUES (7, 1, '{ours}', '{others}')"
    ))
    .await;
    let first = delete(&db, STALE).await;
    let later = delete(&db, OTHER).await;
    let (table, key, _, taker) = find_only_conflict(&db, &first).await;
    assert_eq!((table.as_str(), key.as_str(), taker), ("links", "1", Some(later.id)));
}

async fn a_key_that_is_no_longer_unique(db: TestDb) {
    let ours = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE links (id integer PRIMARY KEY, group_id uuid REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         INSERT INTO links VALUES (1, '{ours}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("ALTER TABLE links DROP CONSTRAINT links_pkey; INSERT INTO links VALUES (1, NULL)").await;
    let (_, _, message, _) = find_only_conflict(&db, &deletion).await;
    assert!(message.contains("More references were set than archived"), "{message}");
}

async fn tables_and_columns_that_are_written_in_another_case_now(db: TestDb) {
    let ours = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE pins (id integer PRIMARY KEY, n text, group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE links (id integer PRIMARY KEY, group_id text REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         INSERT INTO pins VALUES (1, 'seven', '{ours}'); INSERT INTO links VALUES (1, '{ours}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    for name in ["pins", "links"] {
        let other = name.to_uppercase();
        db.exec(&format!("ALTER TABLE {name} RENAME TO other; ALTER TABLE other RENAME TO {other}")).await;
        db.exec(&format!(
            "ALTER TABLE {other} RENAME COLUMN group_id TO other; ALTER TABLE {other} RENAME COLUMN other TO Group_Id"
        ))
        .await;
    }
    assert_eq!(restore_deletion(&db, &deletion).await.rows_not_relinked, 0);
    let rows = db.rows("SELECT pins.n FROM pins JOIN links ON links.group_id = pins.group_id").await;
    assert_eq!(rows, [["seven"]]);
}

/// Rows of a table without a key stay unlinked, and so do the rows that refer to them.
async fn a_reference_to_a_table_written_in_another_case(db: TestDb) {
    let ours = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE parts (a integer, b integer, code text UNIQUE REFERENCES whatsapp_groups (id) ON DELETE SET NULL, \
         PRIMARY KEY (a, b)); \
         CREATE TABLE pins (id integer PRIMARY KEY, code text REFERENCES Parts (Code) ON UPDATE CASCADE); \
         INSERT INTO parts VALUES (1, NULL, '{ours}'); INSERT INTO pins VALUES (1, '{ours}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    let unkept: Vec<&str> =
        deletion.tables.iter().filter(|table| !table.restorable).map(|table| table.table.as_str()).collect();
    assert_eq!(unkept, ["parts"]);
    assert_eq!(restore_deletion(&db, &deletion).await.rows_not_relinked, 2);
    assert_eq!(db.rows("SELECT code FROM parts UNION ALL SELECT code FROM pins").await, [["NULL"], ["NULL"]]);
}
