//! Tests that a deletion that cannot archive all its rows deletes nothing.

use api::db::Dialect;
use api::deletion::{self, DeletionRequest};

use super::{STALE, find_first_group, id};
use crate::support::{TestDb, WithTerms as _, on_both, only};

on_both!(Adopted: rows_that_the_archive_does_not_take_in, entries_that_the_archive_does_not_take_in);
only!(sqlite Adopted: a_row_of_more_values_than_the_archive_has_columns);

async fn assert_refused(db: &TestDb) -> String {
    let before = db.everything().await;
    let request =
        DeletionRequest { session_ids: vec![id(STALE)], ..DeletionRequest::default() }.allow_pending_messages();
    let error = deletion::delete(db.database().await, &request).await.unwrap_err();
    assert!(db.everything().await == before, "a refused deletion changed something");
    error.to_string()
}

/// Creates a trigger that discards all inserts into one of the archive's tables.
async fn reject_inserts(db: &TestDb, table: &str) {
    db.exec(&match db.dialect() {
        Dialect::Postgres => format!(
            "CREATE FUNCTION shut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; \
             CREATE TRIGGER shut BEFORE INSERT ON session_admin.{table} FOR EACH ROW EXECUTE FUNCTION shut()"
        ),
        Dialect::Sqlite => {
            format!("CREATE TRIGGER shut BEFORE INSERT ON session_admin_{table} BEGIN SELECT RAISE(IGNORE); END")
        }
    })
    .await;
}

async fn rows_that_the_archive_does_not_take_in(db: TestDb) {
    reject_inserts(&db, "archived_rows").await;
    let message = assert_refused(&db).await;
    assert!(
        message.starts_with("The archive does not contain all rows that would be deleted; look for triggers"),
        "{message}"
    );
}

async fn entries_that_the_archive_does_not_take_in(db: TestDb) {
    reject_inserts(&db, "archived_tables").await;
    let message = assert_refused(&db).await;
    assert!(message.starts_with("The archive does not contain ") && message.contains("archived_tables"), "{message}");
}

async fn a_row_of_more_values_than_the_archive_has_columns(db: TestDb) {
    let group = find_first_group(&db, STALE).await;
    let more: String = (2..2_000).map(|n| format!(", c{n}")).collect();
    db.exec(&format!(
        "CREATE TABLE wide (id integer PRIMARY KEY, group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE{more}); \
         INSERT INTO wide (id, group_id) VALUES (1, '{group}')"
    ))
    .await;
    assert_eq!(
        assert_refused(&db).await,
        "To restore a row of wide, 2000 values would have to be archived; on SQLite at most 1999 can be. Nothing was \
         deleted; a deletion without an archive is possible (archive: false, --no-archive)."
    );
}
