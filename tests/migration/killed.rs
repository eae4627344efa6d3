//! A run that is killed at any moment leaves a database that the next run finishes.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{GOAL, rules};
use crate::cli::executable;
use crate::story::{is_sound, left_without, rows_now};
use crate::support::{Contents, TestDb, both, say};

both!(long StateA: killed_after_each_step_the_next_run_goes_on, killed_at_random_moments_the_next_run_goes_on);

const SIGKILL: i32 = 9;

/// Runs `migrate` and kills it when it has told of this many applied migrations, or of all that were left.
fn killed_after(db: &TestDb, steps: usize) {
    let mut command = executable(&["migrate", "--yes"]);
    let mut child = command.env("DATABASE_URL", db.url()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.by_ref().filter(|line| line.starts_with("applied ")).take(steps).for_each(drop);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// No reference is without its foreign key, whatever the moment was; rows go with the purge only, and then all. Seen in
/// one transaction: the server may still be at the killed run's last statement.
async fn is_whole(db: &TestDb, before: &[Vec<String>], left: &[Vec<String>]) {
    let sqlite = db.url().starts_with("sqlite");
    db.exec(if sqlite { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ" }).await;
    let found: Vec<_> = rules(db, "public").await.into_iter().map(|rule| rule[..2].to_vec()).collect();
    let now = rows_now(db).await;
    db.exec("COMMIT").await;
    assert_eq!(found, GOAL.map(|rule| rule[..2].to_vec()));
    assert!(now == before || now == left, "part of the purge was made");
}

async fn finishes(db: &TestDb, left: &[Vec<String>]) {
    let mut command = executable(&["migrate", "--yes"]);
    let output = command.env("DATABASE_URL", db.url()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    is_sound(db, left).await;
    if db.url().starts_with("sqlite") {
        assert_eq!(db.rows("PRAGMA integrity_check").await, [["ok"]]);
    } else {
        let invalid = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid";
        assert_eq!(db.rows(invalid).await, Vec::<Vec<String>>::new());
    }
    super::indexes::every_foreign_key_has_one(db).await;
}

async fn killed_after_each_step_the_next_run_goes_on(db: TestDb) {
    let (before, left) = (rows_now(&db).await, left_without(&db, "session_name LIKE 'stale-%'").await);
    // Own tables; the tables as built and the first fix; the second fix and the indexes.
    for steps in [1, 2, 1] {
        killed_after(&db, steps);
        is_whole(&db, &before, &left).await;
    }
    finishes(&db, &left).await;
}

/// The moments are drawn from a seed, which is told; the machine's load does the rest.
async fn killed_at_random_moments_the_next_run_goes_on(db: TestDb) {
    let seed: u64 = rand::random();
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (before, left) = (rows_now(&db).await, left_without(&db, "session_name LIKE 'stale-%'").await);
    let mut killed = 0;
    // Later and later, so that the first ones do not let the run finish.
    for latest in (50..=600).step_by(50) {
        let mut command = executable(&["migrate", "--yes"]);
        command.env("DATABASE_URL", db.url()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // The moment is what is tested; nothing waits for it.
        tokio::time::sleep(Duration::from_millis(random.random_range(1..=latest))).await;
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().signal() == Some(SIGKILL));
        is_whole(&db, &before, &left).await;
    }
    say(&format!("{killed} of 12 runs killed at random moments, seed {seed}"));
    finishes(&db, &left).await;
}

/// In the middle of a step, for certain: it waits for a lock when it is killed.
#[tokio::test]
async fn postgres_killed_while_it_waits_for_a_lock_the_next_run_goes_on() {
    let Some(db) = TestDb::postgres(Contents::StateA).await else { return };
    let (before, left) = (rows_now(&db).await, left_without(&db, "session_name LIKE 'stale-%'").await);
    // The last of the first fix's tables: the others are mended by then.
    let mut holder = db.raw().await;
    holder.exec("BEGIN; LOCK TABLE scheduled_webinar_messages IN ROW EXCLUSIVE MODE").await;
    killed_after(&db, 2);
    holder.exec("COMMIT").await;
    is_whole(&db, &before, &left).await;
    let history = "SELECT count(*) FROM session_admin.migrations";
    assert_eq!(db.rows(history).await, [["2"]]);
    finishes(&db, &left).await;
}
