//! Tests of long chains of foreign keys and of many tables.

use super::{affected_rows, delete_session, group_ids, id_type, load_impact};
use crate::support::{TestDb, on_both};

on_both!(Adopted: a_table_that_refers_to_itself_goes_to_its_last_row, a_circle_of_rows_goes);
on_both!(long Adopted: two_hundred_tables_are_counted);

/// Creates a chain of rows. Each references the one before, and the first one references a group.
async fn create_chain(db: &TestDb, length: usize, rule: &str) {
    let (kind, group) = (id_type(db.dialect()), group_ids(db, 1).await.remove(0));
    let links: String = (2..=length).map(|n| format!(", ({n}, {}, NULL)", n - 1)).collect();
    db.exec(&format!(
        "CREATE TABLE notes (id integer PRIMARY KEY, parent integer REFERENCES notes (id) {rule}, \
         group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO notes VALUES (1, NULL, '{group}'){links}; INSERT INTO notes VALUES (100000, NULL, NULL)"
    ))
    .await;
}

async fn a_table_that_refers_to_itself_goes_to_its_last_row(db: TestDb) {
    create_chain(&db, 1_000, "ON DELETE CASCADE").await;
    assert_eq!(affected_rows(&db, "notes").await, Some((1_000, 0)));
    delete_session(&db).await;
    assert_eq!(db.rows("SELECT id FROM notes").await, [["100000"]]);
}

async fn a_circle_of_rows_goes(db: TestDb) {
    create_chain(&db, 3, "ON DELETE CASCADE").await;
    db.exec("UPDATE notes SET parent = 3 WHERE id = 1; UPDATE notes SET parent = 100000 WHERE id = 100000").await;
    assert_eq!(affected_rows(&db, "notes").await, Some((3, 0)));
    delete_session(&db).await;
    assert_eq!(db.rows("SELECT id FROM notes").await, [["100000"]]);
}

async fn two_hundred_tables_are_counted(db: TestDb) {
    let before = load_impact(&db).await;
    let (kind, groups) = (id_type(db.dialect()), group_ids(&db, 2).await);
    let statements = (0..200).map(|number| {
        let rule = if number % 2 == 0 { "CASCADE" } else { "SET NULL" };
        format!(
            "CREATE TABLE wide_{number} (group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE {rule}); \
             INSERT INTO wide_{number} VALUES ('{}'), ('{}')",
            groups[0], groups[1]
        )
    });
    db.exec_all(&statements.collect::<Vec<_>>()).await;
    let impact = load_impact(&db).await;
    assert_eq!(impact.tables.len(), before.tables.len() + 200);
    assert_eq!(impact.rows_deleted, before.rows_deleted + 200);
    assert_eq!(impact.rows_unlinked, before.rows_unlinked + 200);
    delete_session(&db).await;
    let (even, odd) = (db.count("wide_0").await, "SELECT count(*) FROM wide_1 WHERE group_id IS NULL");
    assert_eq!((even, db.rows(odd).await), (0, vec![vec!["2".to_owned()]]));
}
