//! Benchmarks of cleanup runs and their restores against one cascading DELETE, and of the server's memory during a run.

use std::time::{Duration, Instant};

use api::cleanup::{self, BatchSize, CleanupRequest, CleanupRun, Criteria, RestoreRunRequest, RunExecutor};
use api::db::Database;
use api::deletion::DeletionTerms;
use serde_json::Value;
use uuid::Uuid;

use crate::data::{self, Size};
use crate::engine::cascade;
use crate::lists::side::{Ask, Side};
use crate::measure::median;

/// The number of measurements of each side. Each restore brings back the deleted sessions for the next one.
const TURNS: usize = 3;

/// The durations of runs in milliseconds, in total and of their longest batches.
#[derive(Default)]
struct Times {
    total: Vec<f64>,
    longest: Vec<f64>,
}

/// Runs the benchmarks on the database at `url` and prints a table.
pub async fn run(url: &str, size: &Size) {
    println!("\n| size | what | ours | by hand | ratio |\n|---|---|---|---|---|");
    let db = data::connect(url).await;
    let hundred = data::ids(&db, "WHERE phone_number IS NULL ORDER BY id LIMIT 100").await;
    let mut cascades = Vec::new();
    let (mut deleting, mut restoring) = (Times::default(), Times::default());
    for _ in 0..TURNS {
        let start_time = Instant::now();
        cascade(&db, &hundred).await;
        cascades.push(start_time.elapsed().as_secs_f64() * 1_000.0);
        data::vacuum(&db).await;
        let run = execute_run(&db, create_cleanup_run(&db, &hundred).await, &mut deleting).await;
        data::vacuum(&db).await;
        let restore_run = execute_run(&db, create_restore_run(&db, run.id).await, &mut restoring).await;
        assert_eq!((run.sessions_deleted, restore_run.rows_restored), (100, run.rows_deleted));
        data::vacuum(&db).await;
    }
    let cascade_time = median(cascades);
    for (what, times) in [("a run of 100 sessions, all kept", deleting), ("the run restored by a run", restoring)] {
        let total = median(times.total);
        println!("| {} | {what} | {total:.0} ms | {cascade_time:.0} ms | {:.2} |", size.name, total / cascade_time);
        println!("| {} | its longest batch | {:.0} ms | | |", size.name, median(times.longest));
    }
    db.close().await.unwrap();
    print_memory(url, size).await;
}

async fn create_cleanup_run(db: &Database, ids: &[Uuid]) -> Uuid {
    let request = CleanupRequest {
        criteria: Criteria { ids: Some(ids.to_vec()), ..Criteria::default() },
        terms: DeletionTerms { allow_pending_messages: true, ..DeletionTerms::default() },
        principal: "bench".to_owned(),
        ..CleanupRequest::default()
    };
    cleanup::create_run(db, None, &request).await.unwrap().run.unwrap().id
}

async fn create_restore_run(db: &Database, run: Uuid) -> Uuid {
    let request = RestoreRunRequest { run_id: run, allow_pending_messages: true, principal: "bench".to_owned() };
    cleanup::restore(db, &request).await.unwrap().run.unwrap().id
}

/// Executes a run to its end, records its durations and returns it.
///
/// The longest batch is the longest step that changed rows, which is an upper bound for its transaction.
async fn execute_run(db: &Database, run: Uuid, times: &mut Times) -> CleanupRun {
    let start_time = Instant::now();
    let mut worker = RunExecutor::take(db.clone(), None, run, BatchSize::default()).await.unwrap().unwrap();
    let (mut done, mut longest) = (0, 0.0_f64);
    loop {
        let step = Instant::now();
        let now = worker.run_next_batch().await.unwrap();
        let changed = now.rows_deleted + now.rows_restored;
        if changed > done {
            longest = longest.max(step.elapsed().as_secs_f64() * 1_000.0);
        }
        done = changed;
        if now.status.has_finished() {
            times.total.push(start_time.elapsed().as_secs_f64() * 1_000.0);
            times.longest.push(longest);
            return now;
        }
    }
}

/// Prints the peak memory of a server during a run of all stale sessions, and its memory before the run.
async fn print_memory(url: &str, size: &Size) {
    let server = Side::ours(url).spawn();
    server.first_answer(&Ask::ours("query ($first: Int) { sessions(first: $first) { nodes { id } } }")).await;
    let before = server.memory();
    let start = "mutation { cleanUpSessions(input: { dryRun: false, allowPendingMessages: true }) { run { id } } }";
    let (answer, _) = server.first_answer(&Ask::ours(start)).await;
    let id = answer["data"]["cleanUpSessions"]["run"]["id"].as_str().unwrap().to_owned();
    let ask = Ask::ours(&format!("{{ cleanupRun(id: \"{id}\") {{ status rowsDeleted rowsUnlinked error }} }}"));
    let mut peak = before;
    let run = loop {
        peak = peak.max(server.memory());
        let run = server.first_answer(&ask).await.0["data"]["cleanupRun"].take();
        if run["status"] != "QUEUED" && run["status"] != "RUNNING" {
            break run;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((&run["status"], &run["error"]), (&Value::from("SUCCEEDED"), &Value::Null));
    let rows = run["rowsDeleted"].as_i64().unwrap() + run["rowsUnlinked"].as_i64().unwrap();
    println!("| {} | memory in a run of {rows} rows, MiB; before it | {peak:.1} | {before:.1} | |", size.name);
}
