//! Snapshot tests of the documents of `impact`, `delete` and `deletions`.

use super::small_session::{self, SMALL};
use super::{CONNECTED, OTHER_STALE, STALE, Transcript, UNKNOWN, id_at, lock};
use crate::cli::migrate_without_purge;
use crate::support::{TestDb, on_both};

on_both!(Mended: a_deletion_and_its_previews, a_deletion_that_a_trigger_refuses, the_list_of_deletions);
on_both!(long Mended: refusals_of_a_deletion);

async fn a_deletion_and_its_previews(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["impact", STALE]);
    transcript.run(&["impact", CONNECTED, SMALL]);
    transcript.run(&["delete", SMALL, "--dry-run"]);
    let terms = ["--allow-connected", "--allow-pending-messages", "--idempotency-key", "a key"];
    let delete = [&["delete", SMALL, "--yes", "--reason", "No longer needed.", "--at-most", "3"], &terms[..]].concat();
    transcript.run(&delete);
    transcript.comment("The same key with the same request, then with another one.");
    transcript.run(&delete);
    transcript.run(&["delete", STALE, "--yes", "--idempotency-key", "a key"]);
    transcript.comment("All that the scenario has of a session.");
    transcript.run(&["delete", STALE, "--yes"]);
    transcript.assert_matches("delete");
}

async fn refusals_of_a_deletion(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["delete", SMALL]);
    transcript.run(&["impact", UNKNOWN]);
    transcript.run(&["delete", UNKNOWN, "--yes"]);
    transcript.run(&["delete", CONNECTED, "--yes"]);
    transcript.run(&["delete", SMALL, "--yes", "--at-most", "1"]);
    transcript.run(&["delete", SMALL, "--yes", "--expected-impact", "no token"]);
    transcript.run(&["delete", SMALL, "--yes", "--idempotency-key", ""]);
    let token = id_at(&transcript.run(&["impact", SMALL]), "token");
    transcript.comment("A group more than when the impact was looked at.");
    db.exec(&format!(
        "INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name) VALUES \
         ('5ea50000-0000-4000-8000-000000000009', '{SMALL}', 'more@g.us', 'More')"
    ))
    .await;
    transcript.run(&["delete", SMALL, "--yes", "--expected-impact", &token]);
    transcript.comment("Another session's token.");
    transcript.run(&["delete", STALE, "--yes", "--expected-impact", &token, "--dry-run"]);
    transcript.comment("Another transaction has the session.");
    let other = lock(&db, "whatsapp_sessions").await;
    transcript.run(&["delete", SMALL, "--yes", "--lock-timeout", "1"]);
    other.close().await;
    transcript.assert_matches("delete_refused");
}

async fn a_deletion_that_a_trigger_refuses(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    db.exec(match db.dialect() {
        api::db::Dialect::Postgres => {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; \
             CREATE TRIGGER refuse BEFORE DELETE ON whatsapp_groups FOR EACH ROW EXECUTE FUNCTION refuse()"
        }
        api::db::Dialect::Sqlite => {
            "CREATE TRIGGER refuse BEFORE DELETE ON whatsapp_groups BEGIN SELECT RAISE(ABORT, 'no'); END"
        }
    })
    .await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["delete", SMALL, "--yes"]);
    transcript.assert_matches("delete_refused_by_trigger");
    let mut transcript = Transcript::new(&db);
    transcript.run(&["doctor"]);
    transcript.assert_matches_per_database("doctor_trigger");
}

async fn the_list_of_deletions(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["deletions"]);
    let created = transcript.run(&["delete", SMALL, "--yes", "--reason", "No longer needed."]);
    let id = id_at(&created, "deletion.id");
    transcript.run(&["delete", OTHER_STALE, "--yes", "--no-archive"]);
    transcript.run(&["deletions", "--limit", "1"]);
    transcript.run(&["deletions", "--session", SMALL, "--status", "restorable"]);
    transcript.run(&["deletions", "show", &id]);
    transcript.run(&["deletions", "show", UNKNOWN]);
    transcript.run(&["deletions", "erase", &id]);
    transcript.run(&["deletions", "erase", UNKNOWN, "--yes"]);
    transcript.run(&["deletions", "erase", &id, "--yes"]);
    transcript.comment("It has been erased.");
    transcript.run(&["deletions", "erase", &id, "--yes"]);
    transcript.run(&["deletions", "--status", "erased"]);
    transcript.assert_matches("deletions");
}
