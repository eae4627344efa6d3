//! A run that is killed at any moment leaves a database that the next run finishes.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{GOAL, rules};
use crate::cli::executable;
use crate::story::{is_sound, left_without, rows_now};
use crate::support::{TestDb, both, say};

both!(StateA: killed_after_each_step_the_next_run_goes_on, killed_at_random_moments_the_next_run_goes_on);

const KILLED: Option<i32> = Some(9);

/// Runs `migrate` and kills it when it has told of this many applied migrations; gives the signal that ended it.
fn killed_after(db: &TestDb, steps: usize) -> Option<i32> {
    let mut command = executable(&["migrate", "--yes"]);
    let mut child = command.env("DATABASE_URL", db.url()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told = lines.by_ref().filter(|line| line.starts_with("applied ")).take(steps).count();
    assert_eq!(told, steps);
    child.kill().unwrap();
    child.wait().unwrap().signal()
}

/// No reference is without its foreign key, whatever the moment was; rows go with the purge only, and then all.
async fn is_whole(db: &TestDb, before: &[Vec<String>], left: &[Vec<String>]) {
    let found: Vec<_> = rules(db, "public").await.into_iter().map(|rule| rule[..2].to_vec()).collect();
    assert_eq!(found, GOAL.map(|rule| rule[..2].to_vec()));
    let now = rows_now(db).await;
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
        assert_eq!(killed_after(&db, steps), KILLED);
        is_whole(&db, &before, &left).await;
    }
    finishes(&db, &left).await;
}

/// Each round's moments are drawn from a seed, which is printed; the machine's load does the rest.
async fn killed_at_random_moments_the_next_run_goes_on(db: TestDb) {
    let seed: u64 = rand::random();
    say(&format!("killed at random moments: seed {seed}"));
    let mut random = StdRng::seed_from_u64(seed);
    let (before, left) = (rows_now(&db).await, left_without(&db, "session_name LIKE 'stale-%'").await);
    let mut killed = 0;
    // Later and later, so that the first ones do not let the run finish.
    let mut moments: Vec<u64> = (0..12).map(|_| random.random_range(5..600)).collect();
    moments.sort_unstable();
    for moment in moments {
        let mut command = executable(&["migrate", "--yes"]);
        command.env("DATABASE_URL", db.url()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // The moment is what is tested; nothing waits for it.
        tokio::time::sleep(Duration::from_millis(moment)).await;
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().signal() == KILLED);
        is_whole(&db, &before, &left).await;
    }
    assert_ne!(killed, 0);
    finishes(&db, &left).await;
}
