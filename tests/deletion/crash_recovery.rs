//! Tests that an interrupted deletion loses no rows.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use api::db::{Database, DatabaseSettings};
use api::deletion;
use api::demo::scenario::SESSIONS;
use api::refusal::RefusalCode;
use tokio::time::Instant;

use super::concurrent_writers::{DeletionPause, connect_with_long_lock_timeout, wait_for_value};
use super::{OTHER, STALE, codes, count_archived_rows, count_session, delete, delete_sessions, preview, request};
use crate::support::{TestDb, only};

only!(postgres Adopted: a_connection_that_is_cut_loses_nothing, a_killed_program_loses_nothing);
only!(sqlite Adopted: a_killed_program_leaves_the_file_whole, a_full_disk_leaves_the_file_whole);

/// A `session-admin delete` process that is killed when the test ends.
struct Program(Child);

impl Program {
    fn start_deletion(db: &TestDb, session: usize) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_session-admin"));
        command.args(["delete", SESSIONS[session].id, "--yes", "--lock-timeout", "60"]).env("DATABASE_URL", db.url());
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Kills the process with SIGKILL, which gives it no chance to clean up.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        assert_eq!(self.0.wait().unwrap().code(), None, "it ended by itself");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn a_connection_that_is_cut_loses_nothing(db: TestDb) {
    let before = db.everything().await;
    let pause = DeletionPause::before_sessions(&db).await;
    let database = connect_with_long_lock_timeout(&db).await;
    let clone = database.clone();
    let running = tokio::spawn(async move { deletion::delete(&clone, &request(STALE)).await });
    pause.wait_until_reached(&db).await;
    let cut =
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted";
    assert_eq!(db.rows(cut).await, [["t"]]);
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(error.code(), "UNAVAILABLE", "{error:?}");
    assert!(error.to_string().starts_with("The database cannot be reached"), "{error}");
    assert!(db.everything().await == before);
    pause.release().await;
    let deletion = delete_sessions(&database, &request(STALE)).await;
    assert_eq!(count_archived_rows(&db).await, deletion.rows_deleted + deletion.rows_unlinked);
}

async fn a_killed_program_loses_nothing(db: TestDb) {
    let before = db.everything().await;
    let pause = DeletionPause::before_sessions(&db).await;
    let mut program = Program::start_deletion(&db, STALE);
    pause.wait_until_reached(&db).await;
    program.kill();
    // The server notices the lost connection when it sends the next message to the process.
    pause.release().await;
    let connected = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'session-admin'";
    wait_for_value(&db, connected, "0").await;
    assert!(db.everything().await == before);
    assert_eq!(count_archived_rows(&db).await, 0);
    let deletion = delete_sessions(db.database().await, &request(STALE)).await;
    assert_eq!(count_archived_rows(&db).await, deletion.rows_deleted + deletion.rows_unlinked);
}

/// While the deletion executes, readers continue, and a deletion of another process is refused with the reason.
async fn a_killed_program_leaves_the_file_whole(db: TestDb) {
    let previewed = preview(&db, &[STALE]).await;
    let before = db.everything().await;
    // The sessions are deleted last. The trigger makes this deletion take longer than any timeout.
    db.exec(
        "CREATE TRIGGER slow BEFORE DELETE ON whatsapp_sessions BEGIN SELECT count(*) FROM (WITH RECURSIVE n(i) AS \
         (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000) SELECT i FROM n); END",
    )
    .await;
    let mut program = Program::start_deletion(&db, STALE);
    let mut other = db.raw().await;
    other.exec("PRAGMA busy_timeout = 0").await;
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        match other.attempt("BEGIN IMMEDIATE").await {
            Err(error) => {
                assert_eq!(error.code, "5", "{error:?}");
                break;
            }
            Ok(()) => other.exec("ROLLBACK").await,
        }
        assert!(program.is_running() && Instant::now() < deadline, "the deletion never began");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(preview(&db, &[STALE]).await, previewed);
    let settings = DatabaseSettings { lock_timeout: Duration::from_millis(200), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    assert_eq!(codes(&delete(&database, &request(OTHER)).await), [RefusalCode::LockTimeout]);
    assert!(program.is_running());
    program.kill();
    assert!(db.everything().await == before);
    assert_eq!(db.rows("PRAGMA integrity_check").await, [["ok"]]);
    db.exec("DROP TRIGGER slow").await;
    assert_eq!(delete_sessions(&database, &request(STALE)).await.rows_deleted, previewed.rows_deleted);
    assert_eq!(count_archived_rows(&db).await, previewed.rows_deleted + previewed.rows_unlinked);
    assert_eq!(count_session(&db, STALE).await, "0");
}

/// A deletion archives its rows before it deletes them. No file may grow beyond 16 KiB here, so there is no room for
/// the rows (about 60 KiB), and the columns added to the archive table are rolled back.
async fn a_full_disk_leaves_the_file_whole(db: TestDb) {
    let columns: String = (0..20).map(|n| format!(", c{n} DEFAULT 'some text'")).collect();
    db.exec(&format!(
        "CREATE TABLE wide (id integer PRIMARY KEY, group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE{columns}); \
         INSERT INTO wide (group_id) SELECT id FROM whatsapp_groups; PRAGMA wal_checkpoint(TRUNCATE)"
    ))
    .await;
    let before = db.everything().await;
    let schema = db.rows("SELECT sql FROM sqlite_schema ORDER BY name").await;
    let without_room = |arguments: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f 32; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_session-admin")]);
        command.args(arguments).arg("--json").env("DATABASE_URL", db.url()).stdin(Stdio::null()).output().unwrap()
    };
    assert!(without_room(&["impact", SESSIONS[STALE].id]).status.success(), "whoever only reads needs no room");
    let ended = without_room(&["delete", SESSIONS[STALE].id, "--yes"]);
    let stdout = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.code() == Some(1) && stdout.contains("\"UNAVAILABLE\""), "{stdout}");
    assert!(stdout.contains("disk is full or failing"), "{stdout}");
    assert!(db.everything().await == before);
    assert_eq!(db.rows("SELECT sql FROM sqlite_schema ORDER BY name").await, schema);
    assert_eq!(db.rows("PRAGMA integrity_check").await, [["ok"]]);
    let deletion = delete_sessions(db.database().await, &request(STALE)).await;
    assert_eq!(count_archived_rows(&db).await, deletion.rows_deleted + deletion.rows_unlinked);
}
