//! Snapshot tests of the documents of `restore`.

use api::db::Dialect;

use super::small_session::{self, SMALL};
use super::{OTHER_STALE, STALE, Transcript, UNKNOWN, id_at, lock};
use crate::cli::{document, migrate_without_purge};
use crate::support::{TestDb, on_both};

on_both!(Mended: a_restore_and_its_dry_run, conflicts_of_a_restore);
on_both!(long Mended: refusals_of_a_restore);

/// Deletes a session and returns the deletion's id.
fn delete(db: &TestDb, session: &str, flags: &[&str]) -> String {
    let (code, outcome) = document(db, &[&["delete", session, "--yes"], flags].concat());
    assert_eq!(code, 0, "{outcome}");
    id_at(&outcome, "deletion.id")
}

async fn a_restore_and_its_dry_run(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    small_session::add_overdue_message(&db).await;
    let id = delete(&db, SMALL, &["--allow-pending-messages"]);
    db.exec("DELETE FROM dynamic_links WHERE slug = 'small'").await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["restore", &id]);
    transcript.run(&["restore", &id, "--yes"]);
    transcript.run(&["restore", &id, "--dry-run", "--allow-pending-messages"]);
    transcript.run(&["restore", &id, "--yes", "--allow-pending-messages"]);
    transcript.comment("It has been restored.");
    transcript.run(&["restore", &id, "--yes"]);
    transcript.run(&["deletions", "--status", "restored"]);
    transcript.assert_matches("restore");
}

async fn refusals_of_a_restore(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["restore", UNKNOWN, "--yes"]);
    transcript.comment("Nothing was archived.");
    transcript.run(&["restore", &delete(&db, OTHER_STALE, &["--no-archive"]), "--yes"]);
    let id = delete(&db, SMALL, &[]);
    transcript.comment("Another transaction has the deletion.");
    let other = lock(&db, &db.dialect().internal_table("deletions")).await;
    transcript.run(&["restore", &id, "--yes", "--lock-timeout", "1"]);
    other.close().await;
    transcript.comment("Its time is over.");
    let expired = format!(
        "UPDATE {} SET restorable_until = '2020-01-01T00:00:00.000000Z'",
        db.dialect().internal_table("deletions")
    );
    db.exec(&format!("{expired} WHERE restorable_until IS NOT NULL")).await;
    transcript.run(&["restore", &id, "--yes"]);
    transcript.comment("It has been erased.");
    let id = delete(&db, STALE, &[]);
    assert_eq!(document(&db, &["deletions", "erase", &id, "--yes"]).0, 0);
    transcript.run(&["restore", &id, "--yes"]);
    transcript.assert_matches("restore_refused");
}

async fn conflicts_of_a_restore(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let kind = if db.dialect() == Dialect::Postgres { "uuid" } else { "text" };
    let group =
        |session: &str| format!("(SELECT min(CAST(id AS text)) FROM whatsapp_groups WHERE session_id = '{session}')");
    let create_pairs = format!(
        "CREATE TABLE pairs (id integer PRIMARY KEY, a {kind} NOT NULL REFERENCES whatsapp_groups (id) ON DELETE CASCADE, \
         b {kind} NOT NULL REFERENCES whatsapp_groups (id) ON DELETE CASCADE)"
    );
    let (a, b) = (group(SMALL), group(STALE));
    let pair = format!("INSERT INTO pairs SELECT 1, CAST({a} AS {kind}), CAST({b} AS {kind})");
    db.exec_all(&[create_pairs.clone(), pair]).await;
    let first = delete(&db, SMALL, &[]);
    delete(&db, STALE, &[]);
    let mut transcript = Transcript::new(&db);
    transcript.comment("A row refers to a row of a later deletion.");
    transcript.run(&["restore", &first, "--yes"]);
    transcript.assert_matches("restore_conflicts");
    let mut transcript = Transcript::new(&db);
    transcript.comment("A column has another name.");
    db.exec("ALTER TABLE whatsapp_group_admins RENAME COLUMN phone TO number").await;
    transcript.run(&["restore", &first, "--dry-run"]);
    db.exec("ALTER TABLE whatsapp_group_admins RENAME COLUMN number TO phone; DROP TABLE pairs").await;
    transcript.comment("A table is missing, and the session's id is another row's by now.");
    db.exec(&format!("INSERT INTO whatsapp_sessions (id, session_name) VALUES ('{SMALL}', 'again')")).await;
    transcript.run(&["restore", &first, "--dry-run"]);
    transcript.comment("The table is back, and a parent is missing.");
    db.exec(&create_pairs).await;
    transcript.run(&["restore", &first, "--dry-run"]);
    transcript.assert_matches_per_database("restore_conflicts_of_tables");
}
