//! Tests that a `migrate` killed at any time leaves a database that the next `migrate` can finish.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{FINAL_RULES, fetch_rules};
use crate::cli::executable;
use crate::story::{assert_sound, left_without, rows_now};
use crate::support::{Contents, TestDb, on_both, say};

on_both!(long AsBuilt: killed_after_each_step_the_next_run_goes_on, killed_at_random_moments_the_next_run_goes_on);

const SIGKILL: i32 = 9;

/// Runs `migrate` and kills it once it has reported this many applied migrations, or has ended.
fn kill_after(db: &TestDb, steps: usize) {
    let mut command = executable(&["migrate", "--yes"]);
    let mut child = command.env("DATABASE_URL", db.url()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.by_ref().filter(|line| line.starts_with("applied ")).take(steps).for_each(drop);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Asserts that every reference has its foreign key, and that the purge was applied completely or not at all.
///
/// Reads in one transaction: the server may still be executing the killed process's last statement.
async fn assert_consistent(db: &TestDb, before: &[Vec<String>], left: &[Vec<String>]) {
    let sqlite = db.url().starts_with("sqlite");
    db.exec(if sqlite { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ" }).await;
    let found: Vec<_> = fetch_rules(db, "public").await.into_iter().map(|rule| rule[..2].to_vec()).collect();
    let now = rows_now(db).await;
    db.exec("COMMIT").await;
    assert_eq!(found, FINAL_RULES.map(|rule| rule[..2].to_vec()));
    assert!(now == before || now == left, "part of the purge was made");
}

async fn assert_next_run_finishes(db: &TestDb, left: &[Vec<String>]) {
    let mut command = executable(&["migrate", "--yes"]);
    let output = command.env("DATABASE_URL", db.url()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_sound(db, left).await;
    if db.url().starts_with("sqlite") {
        assert_eq!(db.rows("PRAGMA integrity_check").await, [["ok"]]);
    } else {
        let invalid = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid";
        assert_eq!(db.rows(invalid).await, Vec::<Vec<String>>::new());
    }
    super::indexes::assert_every_foreign_key_is_indexed(db).await;
}

async fn killed_after_each_step_the_next_run_goes_on(db: TestDb) {
    let (before, left) = (rows_now(&db).await, left_without(&db, "session_name LIKE 'stale-%'").await);
    // The internal tables; the schema as built and the first fix; the second fix.
    for steps in [1, 2, 1] {
        kill_after(&db, steps);
        assert_consistent(&db, &before, &left).await;
    }
    assert_next_run_finishes(&db, &left).await;
}

/// The delays come from a printed seed, but their effect varies with the machine's load.
async fn killed_at_random_moments_the_next_run_goes_on(db: TestDb) {
    let seed: u64 = rand::random();
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (before, left) = (rows_now(&db).await, left_without(&db, "session_name LIKE 'stale-%'").await);
    let mut killed = 0;
    // Increasing delays, so that the first tries do not let `migrate` finish.
    for latest in (50..=600).step_by(50) {
        let mut command = executable(&["migrate", "--yes"]);
        command.env("DATABASE_URL", db.url()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // A sleep, because the test is about the time of the kill.
        tokio::time::sleep(Duration::from_millis(random.random_range(1..=latest))).await;
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().signal() == Some(SIGKILL));
        assert_consistent(&db, &before, &left).await;
    }
    say(&format!("{killed} of 12 runs killed at random moments, seed {seed}"));
    assert_next_run_finishes(&db, &left).await;
}

/// Because the migration waits for a lock, the kill is certain to happen within it.
#[tokio::test]
async fn postgres_killed_while_it_waits_for_a_lock_the_next_run_goes_on() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    let (before, left) = (rows_now(&db).await, left_without(&db, "session_name LIKE 'stale-%'").await);
    // The last table of the first fix. The other tables have been repaired by then.
    let mut holder = db.raw().await;
    holder.exec("BEGIN; LOCK TABLE scheduled_webinar_messages IN ROW EXCLUSIVE MODE").await;
    kill_after(&db, 2);
    holder.exec("COMMIT").await;
    assert_consistent(&db, &before, &left).await;
    let history = "SELECT count(*) FROM session_admin.migrations";
    assert_eq!(db.rows(history).await, [["2"]]);
    assert_next_run_finishes(&db, &left).await;
}
