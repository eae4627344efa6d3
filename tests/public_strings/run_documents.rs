//! Snapshot tests of the documents of `runs`.

use api::db::Dialect;

use super::small_session::{self, SMALL};
use super::{Transcript, UNKNOWN, id_at};
use crate::cli::migrate_without_purge;
use crate::support::{TestDb, on_both};

on_both!(Mended: a_run_that_fails);
on_both!(long Mended: a_run_that_waits, a_run_that_is_restored);

async fn a_run_that_waits(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["runs"]);
    let detached = id_at(&transcript.run(&["cleanup", "--yes", "--detach", "--limit", "1"]), "run.id");
    transcript.run(&["runs", "show", &detached]);
    transcript.run(&["runs", "resume", &detached]);
    transcript.run(&["runs", "restore", &detached, "--yes"]);
    transcript.run(&["runs", "cancel", &detached]);
    transcript.comment("It has been cancelled.");
    transcript.run(&["runs", "cancel", &detached]);
    transcript.run(&["runs", "show", &detached]);
    transcript.run(&["runs", "resume", &detached, "--yes"]);
    let detached = id_at(&transcript.run(&["cleanup", "--yes", "--detach", "--limit", "1"]), "run.id");
    transcript.run(&["runs", "resume", &detached, "--yes"]);
    transcript.run(&["runs", "--limit", "1"]);
    transcript.comment("There is no such run.");
    transcript.run(&["runs", "show", UNKNOWN]);
    transcript.run(&["runs", "cancel", UNKNOWN]);
    transcript.run(&["runs", "resume", UNKNOWN, "--yes"]);
    transcript.run(&["runs", "restore", UNKNOWN, "--yes"]);
    transcript.assert_matches("runs");
}

async fn a_run_that_is_restored(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let mut transcript = Transcript::new(&db);
    let run = id_at(&transcript.run(&["cleanup", "--yes", "--limit", "2", "--search", "l"]), "run.id");
    transcript.run(&["runs", "restore", &run]);
    let restoring = id_at(&transcript.run(&["runs", "restore", &run, "--yes"]), "run.id");
    transcript.comment("It has been restored, and a run that restores has nothing to give back.");
    transcript.run(&["runs", "restore", &run, "--yes"]);
    transcript.run(&["runs", "restore", &restoring, "--yes"]);
    transcript.run(&["runs"]);
    transcript.assert_matches("runs_restore");
    let mut transcript = Transcript::new(&db);
    transcript.comment("The id of a session that was deleted is in use.");
    let run = id_at(&transcript.run(&["cleanup", "--yes", "--limit", "1"]), "run.id");
    db.exec(&format!("INSERT INTO whatsapp_sessions (id, session_name) VALUES ('{SMALL}', 'again')")).await;
    transcript.run(&["runs", "restore", &run, "--yes"]);
    transcript.assert_matches_per_database("runs_restore_failed");
}

async fn a_run_that_fails(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    db.exec(match db.dialect() {
        Dialect::Postgres => {
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; \
             CREATE TRIGGER refuse BEFORE DELETE ON whatsapp_groups FOR EACH ROW EXECUTE FUNCTION refuse()"
        }
        Dialect::Sqlite => {
            "CREATE TRIGGER refuse BEFORE DELETE ON whatsapp_groups BEGIN SELECT RAISE(ABORT, 'no'); END"
        }
    })
    .await;
    let mut transcript = Transcript::new(&db);
    transcript.run(&["cleanup", "--yes", "--limit", "1"]);
    transcript.assert_matches("runs_failed");
}
