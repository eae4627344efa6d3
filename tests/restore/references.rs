//! Tests that cleared references are set again where they have not been set to another value.

use api::db::Dialect;
use api::deletion::Deletion;

use super::{OTHER, STALE, delete, find_first_group, find_only_conflict, id_type, restore_deletion};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_reference_that_somebody_has_set_is_left_and_counted,
    a_row_that_somebody_has_deleted_is_counted,
    of_two_references_in_a_row_each_is_its_own,
    a_key_of_two_columns_is_set_as_a_whole,
    a_default_that_was_set_is_taken_back,
    a_table_that_is_gone_is_in_the_way,
    a_column_that_is_gone_is_in_the_way,
    a_column_that_is_gone_and_held_nothing,
    a_key_that_is_gone_is_in_the_way,
    a_type_that_loses_something_is_in_the_way,
);

/// Creates links to groups. Those of the session's group are unlinked in one column (two links) or in both (one link).
async fn create_links(db: &TestDb) -> (String, String) {
    let kind = id_type(db.dialect());
    let (ours, others) = (find_first_group(db, STALE).await, find_first_group(db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE links (id integer PRIMARY KEY, \
         a {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL, \
         b {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         INSERT INTO links VALUES (1, '{ours}', NULL), (2, NULL, '{ours}'), (3, '{ours}', '{ours}'), (4, '{others}', NULL)"
    ))
    .await;
    (ours, others)
}

async fn read_links(db: &TestDb) -> Vec<Vec<String>> {
    db.rows("SELECT id, CAST(a AS text), CAST(b AS text) FROM links ORDER BY id").await
}

fn row(id: &str, a: &str, b: &str) -> Vec<String> {
    vec![id.to_owned(), a.to_owned(), b.to_owned()]
}

async fn a_reference_that_somebody_has_set_is_left_and_counted(db: TestDb) {
    let (ours, others) = create_links(&db).await;
    let deletion = delete(&db, STALE).await;
    db.exec(&format!("UPDATE links SET a = '{others}' WHERE id = 1")).await;
    let outcome = restore_deletion(&db, &deletion).await;
    assert_eq!(outcome.rows_not_relinked, 1);
    assert_eq!(outcome.rows_relinked, deletion.rows_unlinked - 1);
    assert_eq!(
        read_links(&db).await,
        [row("1", &others, "NULL"), row("2", "NULL", &ours), row("3", &ours, &ours), row("4", &others, "NULL")]
    );
}

async fn a_row_that_somebody_has_deleted_is_counted(db: TestDb) {
    let (ours, others) = create_links(&db).await;
    let deletion = delete(&db, STALE).await;
    db.exec("DELETE FROM links WHERE id = 3").await;
    let outcome = restore_deletion(&db, &deletion).await;
    assert_eq!(outcome.rows_not_relinked, 2, "both references of the row");
    assert_eq!(read_links(&db).await, [row("1", &ours, "NULL"), row("2", "NULL", &ours), row("4", &others, "NULL")]);
}

async fn of_two_references_in_a_row_each_is_its_own(db: TestDb) {
    let (ours, others) = create_links(&db).await;
    let deletion = delete(&db, STALE).await;
    db.exec(&format!("UPDATE links SET b = '{others}' WHERE id = 3")).await;
    let outcome = restore_deletion(&db, &deletion).await;
    assert_eq!((outcome.rows_not_relinked, outcome.rows_relinked), (1, deletion.rows_unlinked));
    assert_eq!(read_links(&db).await[2], row("3", &ours, &others));
}

async fn a_key_of_two_columns_is_set_as_a_whole(db: TestDb) {
    let kind = id_type(db.dialect());
    let ours = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE UNIQUE INDEX whatsapp_groups_id_jid ON whatsapp_groups (id, group_jid); \
         CREATE TABLE links (id integer PRIMARY KEY, a {kind}, b text, \
         FOREIGN KEY (a, b) REFERENCES whatsapp_groups (id, group_jid) ON DELETE SET NULL); \
         INSERT INTO links SELECT n.n, id, group_jid FROM whatsapp_groups, (SELECT 1 AS n UNION SELECT 2) n WHERE id = '{ours}'"
    ))
    .await;
    let before = read_links(&db).await;
    let deletion = delete(&db, STALE).await;
    assert_eq!(read_links(&db).await, [row("1", "NULL", "NULL"), row("2", "NULL", "NULL")]);
    // MATCH SIMPLE ignores a partly null key, but the value was set deliberately.
    db.exec("UPDATE links SET b = 'mine' WHERE id = 2").await;
    let outcome = restore_deletion(&db, &deletion).await;
    assert_eq!(outcome.rows_not_relinked, 1);
    assert_eq!(read_links(&db).await, [before[0].clone(), row("2", "NULL", "mine")]);
}

async fn a_default_that_was_set_is_taken_back(db: TestDb) {
    let kind = id_type(db.dialect());
    let (ours, others) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE links (id integer PRIMARY KEY, \
         a {kind} DEFAULT '{others}' REFERENCES whatsapp_groups (id) ON DELETE SET DEFAULT, b {kind}); \
         INSERT INTO links VALUES (1, '{ours}', NULL), (2, '{ours}', NULL)"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    assert_eq!(read_links(&db).await, [row("1", &others, "NULL"), row("2", &others, "NULL")]);
    db.exec("UPDATE links SET a = NULL WHERE id = 2").await;
    assert_eq!(restore_deletion(&db, &deletion).await.rows_not_relinked, 1);
    assert_eq!(read_links(&db).await, [row("1", &ours, "NULL"), row("2", "NULL", "NULL")]);
}

async fn conflict_message(db: &TestDb, deletion: &Deletion) -> String {
    let (table, _, message, _) = find_only_conflict(db, deletion).await;
    assert_eq!(table, "links");
    message
}

async fn a_table_that_is_gone_is_in_the_way(db: TestDb) {
    create_links(&db).await;
    let deletion = delete(&db, STALE).await;
    db.exec("ALTER TABLE links RENAME TO elsewhere").await;
    assert_eq!(
        conflict_message(&db, &deletion).await,
        "The table no longer exists. Create it as it was, then restore again."
    );
    db.exec("ALTER TABLE elsewhere RENAME TO links").await;
    assert_eq!(restore_deletion(&db, &deletion).await.rows_not_relinked, 0);
}

async fn a_column_that_is_gone_is_in_the_way(db: TestDb) {
    let (ours, others) = create_links(&db).await;
    let deletion = delete(&db, STALE).await;
    db.exec("ALTER TABLE links RENAME COLUMN b TO c").await;
    let change = match db.dialect() {
        Dialect::Postgres => "is now called c; rename it back",
        Dialect::Sqlite => "no longer exists; add it again",
    };
    assert_eq!(
        conflict_message(&db, &deletion).await,
        format!("The column b {change}, or references of 2 rows could not be restored.")
    );
    db.exec("ALTER TABLE links RENAME COLUMN c TO b").await;
    assert_eq!(restore_deletion(&db, &deletion).await.rows_not_relinked, 0);
    assert_eq!(
        read_links(&db).await,
        [row("1", &ours, "NULL"), row("2", "NULL", &ours), row("3", &ours, &ours), row("4", &others, "NULL")]
    );
}

async fn a_column_that_is_gone_and_held_nothing(db: TestDb) {
    let (ours, _) = create_links(&db).await;
    db.exec("DELETE FROM links WHERE b IS NOT NULL").await;
    let deletion = delete(&db, STALE).await;
    db.exec("ALTER TABLE links RENAME COLUMN b TO c").await;
    let outcome = restore_deletion(&db, &deletion).await;
    assert_eq!((outcome.rows_relinked, outcome.rows_not_relinked), (deletion.rows_unlinked, 0));
    assert_eq!(db.rows("SELECT CAST(a AS text) FROM links WHERE id = 1").await, [[ours]]);
}

async fn a_key_that_is_gone_is_in_the_way(db: TestDb) {
    create_links(&db).await;
    let deletion = delete(&db, STALE).await;
    db.exec("ALTER TABLE links RENAME COLUMN id TO number").await;
    let change = match db.dialect() {
        Dialect::Postgres => "is now called number; rename it back",
        Dialect::Sqlite => "no longer exists; add it again",
    };
    assert_eq!(
        conflict_message(&db, &deletion).await,
        format!("The column id {change}, or references of 3 rows could not be restored.")
    );
}

async fn a_type_that_loses_something_is_in_the_way(db: TestDb) {
    create_links(&db).await;
    let kind = id_type(db.dialect());
    db.exec(&format!(
        "CREATE TABLE keys (id integer PRIMARY KEY, a {kind}, b {kind}); INSERT INTO keys SELECT * FROM links; \
         DROP TABLE links; CREATE TABLE links (id numeric(9,1) NOT NULL PRIMARY KEY, \
         a {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL, b {kind}); \
         INSERT INTO links SELECT id + 0.5, a, b FROM keys; DROP TABLE keys"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec(&format!(
        "DROP TABLE links; CREATE TABLE links (id {} PRIMARY KEY, a {kind}, b {kind})",
        if db.dialect() == Dialect::Postgres { "integer" } else { "text" }
    ))
    .await;
    let message = conflict_message(&db, &deletion).await;
    assert!(
        message.starts_with("The column id had the type ") && message.contains("could not be restored"),
        "{message}"
    );
}
