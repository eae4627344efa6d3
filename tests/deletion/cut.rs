//! A deletion that is cut off in its middle loses nothing.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use api::db::{Database, DatabaseSettings};
use api::deletion;
use api::demo::scenario::SESSIONS;
use api::refusal::RefusalCode;
use tokio::time::Instant;

use super::held::{Gate, patient, until};
use super::{OTHER, STALE, codes, delete, deleted, request, sessions_left, shown};
use crate::support::{TestDb, only};

only!(postgres Adopted: a_connection_that_is_cut_loses_nothing, a_killed_program_loses_nothing);
only!(sqlite Adopted: a_killed_program_leaves_the_file_whole);

/// `session-admin delete`, killed when the test ends.
struct Program(Child);

impl Program {
    fn deleting(db: &TestDb, session: usize) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_session-admin"));
        command.args(["delete", SESSIONS[session].id, "--yes", "--lock-timeout", "60"]).env("DATABASE_URL", db.url());
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// SIGKILL: it cannot clean up.
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
    let gate = Gate::shut(&db).await;
    let database = patient(&db).await;
    let clone = database.clone();
    let running = tokio::spawn(async move { deletion::delete(&clone, &request(STALE)).await });
    gate.reached(&db).await;
    let cut =
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted";
    assert_eq!(db.rows(cut).await, [["t"]]);
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(error.code(), "UNAVAILABLE", "{error:?}");
    assert!(error.to_string().starts_with("The database cannot be reached"), "{error}");
    assert!(db.everything().await == before);
    gate.open().await;
    deleted(&database, &request(STALE)).await;
}

async fn a_killed_program_loses_nothing(db: TestDb) {
    let before = db.everything().await;
    let gate = Gate::shut(&db).await;
    let mut program = Program::deleting(&db, STALE);
    gate.reached(&db).await;
    program.kill();
    // The server notices when it has something to tell the program.
    gate.open().await;
    let connected = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'session-admin'";
    until(&db, connected, "0").await;
    assert!(db.everything().await == before);
    deleted(db.database().await, &request(STALE)).await;
}

/// While it runs, readers go on, and another program's deletion is told why it cannot.
async fn a_killed_program_leaves_the_file_whole(db: TestDb) {
    let looked = shown(&db, &[STALE]).await;
    let before = db.everything().await;
    // The sessions go last; this one takes longer than anybody waits.
    db.exec(
        "CREATE TRIGGER slow BEFORE DELETE ON whatsapp_sessions BEGIN SELECT count(*) FROM (WITH RECURSIVE n(i) AS \
         (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000000) SELECT i FROM n); END",
    )
    .await;
    let mut program = Program::deleting(&db, STALE);
    let mut other = db.raw().await;
    other.exec("PRAGMA busy_timeout = 0").await;
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        match other.attempt("BEGIN IMMEDIATE").await {
            Err(said) => {
                assert_eq!(said.code, "5", "{said:?}");
                break;
            }
            Ok(()) => other.exec("ROLLBACK").await,
        }
        assert!(program.is_running() && Instant::now() < deadline, "the deletion never began");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(shown(&db, &[STALE]).await, looked);
    let settings = DatabaseSettings { lock_timeout: Duration::from_millis(200), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    assert_eq!(codes(&delete(&database, &request(OTHER)).await), [RefusalCode::LockTimeout]);
    assert!(program.is_running());
    program.kill();
    assert!(db.everything().await == before);
    assert_eq!(db.rows("PRAGMA integrity_check").await, [["ok"]]);
    db.exec("DROP TRIGGER slow").await;
    assert_eq!(deleted(&database, &request(STALE)).await.rows_deleted, looked.rows_deleted);
    assert_eq!(sessions_left(&db, STALE).await, "0");
}
