//! Tests of `migrate` while other connections hold locks, and of two concurrent `migrate` processes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use super::{FINAL_RULES, fetch_rules};
use crate::cli::{document, ended, executable, run};
use crate::story::{assert_migrates_and_purges, assert_sound, left_without, rows_now};
use crate::support::connection::RawConnection;
use crate::support::{Contents, TestDb, on_both, steps};

on_both!(AsBuilt: a_second_run_waits_and_finds_nothing_to_do, of_several_runs_at_once_each_step_is_made_once);

/// Starts `migrate` with its standard output and error captured.
fn start_migrate(db: &TestDb) -> Child {
    let mut command = executable(&["migrate", "--yes", "--json"]);
    command.env("DATABASE_URL", db.url()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn wait_for_report(child: Child) -> (i32, Value) {
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), serde_json::from_str(&text).unwrap())
}

async fn a_second_run_waits_and_finds_nothing_to_do(db: TestDb) {
    let first = migration::MigrationSession::open(db.url(), "public", || ()).await.unwrap();
    let pending = first.list_pending().await.unwrap();
    let mut second = start_migrate(&db);
    let mut output = String::new();
    BufReader::new(second.stderr.as_mut().unwrap()).read_line(&mut output).unwrap();
    assert!(output.contains("Another migrate is running on this database"), "{output}");
    let mut applied = Vec::new();
    first.apply_before_purge(&mut |name| applied.push(name.to_owned())).await.unwrap();
    assert_eq!(fetch_rules(&db, "public").await, FINAL_RULES);
    assert!(second.try_wait().unwrap().is_none());
    first.apply_remaining(&mut |name| applied.push(name.to_owned())).await.unwrap();
    assert_eq!(applied, pending);
    first.close().await.unwrap();
    let before = rows_now(&db).await;
    let (code, report) = wait_for_report(second);
    assert_eq!((code, &report["applied"], &report["purge"]), (0, &json!([]), &Value::Null), "{report}");
    assert_eq!(rows_now(&db).await, before);
}

async fn of_several_runs_at_once_each_step_is_made_once(db: TestDb) {
    let left = left_without(&db, "session_name LIKE 'stale-%'").await;
    let runs: Vec<Child> = (0..3).map(|_| start_migrate(&db)).collect();
    let mut applied = 0;
    let mut purges = 0;
    for run in runs {
        let (code, report) = wait_for_report(run);
        assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
        applied += report["applied"].as_array().unwrap().len();
        purges += usize::from(!report["purge"].is_null());
    }
    assert_eq!((applied, purges), (steps(), 1));
    assert_sound(&db, &left).await;
}

/// Opens a connection that holds a lock in a transaction, and returns it with its process id at the server.
async fn hold_lock(db: &TestDb, lock: &str) -> (RawConnection, String) {
    let mut holder = db.raw().await;
    holder.exec(&format!("BEGIN; {lock}")).await;
    let pid = holder.rows("SELECT pg_backend_pid()").await[0][0].clone();
    (holder, pid)
}

/// The lock allows reads, like that of an open transaction that has written: the preview succeeds, the fix does not.
#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_a_table_that_stays_locked_is_named_with_the_holder() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    let (mut holder, pid) = hold_lock(&db, "LOCK TABLE webinar_whatsapp_groups IN ROW EXCLUSIVE MODE").await;
    let before = rows_now(&db).await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let named = format!("webinar_whatsapp_groups stayed locked (by the server processes {pid})");
    assert!(ended.stderr.contains(&named), "{}", ended.stderr);
    assert_eq!(rows_now(&db).await, before);
    holder.exec("COMMIT").await;
    assert_migrates_and_purges(&db).await;
}

/// The lock blocks even reads.
#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_a_table_that_cannot_be_read_is_named_with_the_holder() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    let (mut holder, pid) = hold_lock(&db, "LOCK TABLE webinars").await;
    let mut command = executable(&["migrate", "--yes", "--lock-timeout", "1"]);
    command.env("DATABASE_URL", db.url());
    let ended = ended(command);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    let named = format!("webinars stayed locked (by the server processes {pid})");
    assert!(ended.stderr.contains(&named), "{}", ended.stderr);
    holder.exec("COMMIT").await;
    assert_migrates_and_purges(&db).await;
}

/// These settings are meant for ordinary connections. They would cancel a migration, or make it wait forever.
#[tokio::test]
async fn postgres_a_databases_own_limits_do_not_stop_a_run() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    let name = db.url().rsplit_once('/').unwrap().1;
    for setting in [
        "default_transaction_isolation = 'serializable'",
        "idle_in_transaction_session_timeout = '50ms'",
        "lock_timeout = '1ms'",
        "statement_timeout = '1ms'",
        "search_path = nowhere",
    ] {
        db.exec(&format!("ALTER DATABASE {name} SET {setting}")).await;
    }
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
    assert_eq!(fetch_rules(&db, "public").await, FINAL_RULES);
    assert_eq!(report["purge"]["deletion"]["rowsDeleted"], 1512);
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn sqlite_a_file_that_stays_locked_is_a_clear_error() {
    let db = TestDb::sqlite(Contents::AsBuilt).await;
    let mut holder = db.raw().await;
    holder.exec("BEGIN IMMEDIATE").await;
    let before = rows_now(&db).await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("the database stayed locked"), "{}", ended.stderr);
    assert!(ended.stderr.contains("Run `session-admin migrate` again"), "{}", ended.stderr);
    holder.exec("COMMIT").await;
    assert_eq!(rows_now(&db).await, before);
    assert_migrates_and_purges(&db).await;
}
