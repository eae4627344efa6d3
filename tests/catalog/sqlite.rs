//! Tests of foreign keys that only SQLite supports.

use super::{affected_rows, delete_session, group_ids, table_impact, unaffected_group};
use crate::support::{TestDb, only};

only!(sqlite Adopted:
    tables_without_rowid_count,
    a_column_may_be_called_rowid,
    a_key_may_leave_its_parent_s_columns_out,
    names_are_the_same_in_any_case,
    a_key_to_a_table_that_is_not_there_is_passed_over,
    a_number_is_a_reference_as_sqlite_compares_it,
);

async fn tables_without_rowid_count(db: TestDb) {
    let groups = group_ids(&db, 2).await;
    db.exec(&format!(
        "CREATE TABLE notes (b text, a integer, group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
           PRIMARY KEY (a, b)) WITHOUT ROWID; \
         CREATE TABLE lines (a integer, b text, n integer, PRIMARY KEY (n), \
           FOREIGN KEY (a, b) REFERENCES notes (a, b) ON DELETE CASCADE) WITHOUT ROWID; \
         CREATE TABLE marks (k text PRIMARY KEY, a integer, b text, \
           FOREIGN KEY (a, b) REFERENCES notes ON DELETE SET NULL) WITHOUT ROWID; \
         INSERT INTO notes VALUES ('x', 1, '{0}'), ('y', 1, '{1}'), ('x', 2, '{2}'); \
         INSERT INTO lines VALUES (1, 'x', 1), (1, 'y', 2), (1, 'y', 3), (2, 'x', 4); \
         INSERT INTO marks VALUES ('p', 1, 'x'), ('q', 2, 'x')",
        groups[0],
        groups[1],
        unaffected_group(&db).await
    ))
    .await;
    assert_eq!(affected_rows(&db, "notes").await, Some((2, 0)));
    assert_eq!(affected_rows(&db, "lines").await, Some((3, 0)));
    assert_eq!(affected_rows(&db, "marks").await, Some((0, 1)));
    delete_session(&db).await;
    assert_eq!(db.snapshot("lines").await, ["2,x,4"]);
    assert_eq!(db.snapshot("marks").await, ["p,NULL,NULL", "q,2,x"]);
}

async fn a_column_may_be_called_rowid(db: TestDb) {
    let (group, stays) = (group_ids(&db, 1).await.remove(0), unaffected_group(&db).await);
    db.exec(&format!(
        "CREATE TABLE notes (rowid text, group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE pins (RowId text, _rowid_ text, oid text, k text PRIMARY KEY, \
           group_id text REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         INSERT INTO notes VALUES ('same', '{group}'), ('same', '{stays}'), ('same', '{group}'); \
         INSERT INTO pins VALUES ('s', 's', 's', 'a', '{group}'), ('s', 's', 's', 'b', '{stays}')"
    ))
    .await;
    assert_eq!((affected_rows(&db, "notes").await, affected_rows(&db, "pins").await), (Some((2, 0)), Some((0, 1))));
    delete_session(&db).await;
    assert_eq!(db.snapshot("notes").await, [format!("same,{stays}")]);
    assert_eq!(db.snapshot("pins").await, ["s,s,s,a,NULL".to_owned(), format!("s,s,s,b,{stays}")]);
}

async fn a_key_may_leave_its_parent_s_columns_out(db: TestDb) {
    let group = group_ids(&db, 1).await.remove(0);
    db.exec(&format!(
        "CREATE TABLE notes (group_id text REFERENCES whatsapp_groups ON DELETE CASCADE); \
         INSERT INTO notes VALUES ('{group}')"
    ))
    .await;
    assert_eq!(affected_rows(&db, "notes").await, Some((1, 0)));
    delete_session(&db).await;
    assert_eq!(db.count("notes").await, 0);
}

async fn names_are_the_same_in_any_case(db: TestDb) {
    let group = group_ids(&db, 1).await.remove(0);
    db.exec(&format!(
        "CREATE TABLE Notes (Id integer primary key, Group_Id text, \
           FOREIGN KEY (GROUP_ID) REFERENCES WHATSAPP_GROUPS (ID) ON DELETE CASCADE); \
         CREATE TABLE lines (note integer REFERENCES NOTES (ID) ON DELETE CASCADE); \
         INSERT INTO notes VALUES (1, '{group}'); INSERT INTO lines VALUES (1), (1)"
    ))
    .await;
    let found = table_impact(&db, "Notes").await.unwrap();
    assert_eq!((found.rows_deleted, &found.references[0].columns), (1, &vec!["Group_Id".to_owned()]));
    assert_eq!(found.references[0].referenced_table, "whatsapp_groups");
    assert_eq!(table_impact(&db, "lines").await.unwrap().references[0].referenced_table, "Notes");
    delete_session(&db).await;
    assert_eq!((db.count("notes").await, db.count("lines").await), (0, 0));
}

async fn a_key_to_a_table_that_is_not_there_is_passed_over(db: TestDb) {
    let (group, stays) = (group_ids(&db, 1).await.remove(0), unaffected_group(&db).await);
    // SQLite refuses to write to such a table while it enforces foreign keys, so the rows are inserted without.
    db.exec(&format!(
        "PRAGMA foreign_keys = OFF; \
         CREATE TABLE notes (group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
           gone integer REFERENCES nowhere (id)); \
         INSERT INTO notes VALUES ('{group}', NULL), ('{group}', 5), ('{stays}', 5); \
         PRAGMA foreign_keys = ON"
    ))
    .await;
    let found = table_impact(&db, "notes").await.unwrap();
    assert_eq!((found.rows_deleted, found.references.len()), (2, 1));
    delete_session(&db).await;
    assert_eq!(db.count("notes").await, 1);
}

async fn a_number_is_a_reference_as_sqlite_compares_it(db: TestDb) {
    let group = group_ids(&db, 1).await.remove(0);
    db.exec(&format!(
        "CREATE TABLE notes (id integer PRIMARY KEY, group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE lines (note text REFERENCES notes (id) ON DELETE CASCADE); \
         CREATE TABLE marks (note REFERENCES notes (id) ON DELETE CASCADE); \
         INSERT INTO notes VALUES (7, '{group}'), (8, NULL); \
         INSERT INTO lines VALUES ('7'), ('8'); INSERT INTO marks VALUES ('7'), (7), (8)"
    ))
    .await;
    // SQLite compares values with the affinity of the parent column.
    assert_eq!((affected_rows(&db, "lines").await, affected_rows(&db, "marks").await), (Some((1, 0)), Some((2, 0))));
    delete_session(&db).await;
    assert_eq!((db.count("lines").await, db.count("marks").await), (1, 1));
}
