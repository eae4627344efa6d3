//! Runs: what a cleanup and its restore cost in batches, beside one cascading DELETE, and what memory the server takes.

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

/// Turns of each side: what a run took is back after its restore.
const TURNS: usize = 3;

/// What a run took, in milliseconds: all of it, and its longest batch.
#[derive(Default)]
struct Times {
    total: Vec<f64>,
    longest: Vec<f64>,
}

/// Compares on the database at `url`.
pub async fn run(url: &str, size: &Size) {
    println!("\n| size | what | ours | by hand | ratio |\n|---|---|---|---|---|");
    let db = data::connect(url).await;
    let hundred = data::ids(&db, "WHERE phone_number IS NULL ORDER BY id LIMIT 100").await;
    let mut plain = Vec::new();
    let (mut kept, mut restored) = (Times::default(), Times::default());
    for _ in 0..TURNS {
        let began = Instant::now();
        cascade(&db, &hundred).await;
        plain.push(began.elapsed().as_secs_f64() * 1_000.0);
        data::tidy(&db).await;
        let run = worked_off(&db, started(&db, &hundred).await, &mut kept).await;
        data::tidy(&db).await;
        let back = worked_off(&db, restoring(&db, run.id).await, &mut restored).await;
        assert_eq!((run.sessions_deleted, back.rows_restored), (100, run.rows_deleted));
        data::tidy(&db).await;
    }
    let plain = median(plain);
    for (what, times) in [("a run of 100 sessions, all kept", kept), ("the run restored by a run", restored)] {
        let total = median(times.total);
        println!("| {} | {what} | {total:.0} ms | {plain:.0} ms | {:.2} |", size.name, total / plain);
        println!("| {} | its longest batch | {:.0} ms | | |", size.name, median(times.longest));
    }
    db.close().await.unwrap();
    memory(url, size).await;
}

async fn started(db: &Database, ids: &[Uuid]) -> Uuid {
    let request = CleanupRequest {
        criteria: Criteria { ids: Some(ids.to_vec()), ..Criteria::default() },
        terms: DeletionTerms { allow_pending_messages: true, ..DeletionTerms::default() },
        principal: "bench".to_owned(),
        ..CleanupRequest::default()
    };
    cleanup::create_run(db, None, &request).await.unwrap().run.unwrap().id
}

async fn restoring(db: &Database, run: Uuid) -> Uuid {
    let request = RestoreRunRequest { run_id: run, allow_pending_messages: true, principal: "bench".to_owned() };
    cleanup::restore(db, &request).await.unwrap().run.unwrap().id
}

/// The run at its end. Its longest batch is the longest step that changed rows: its transaction is not longer.
async fn worked_off(db: &Database, run: Uuid, times: &mut Times) -> CleanupRun {
    let began = Instant::now();
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
            times.total.push(began.elapsed().as_secs_f64() * 1_000.0);
            times.longest.push(longest);
            return now;
        }
    }
}

/// The most memory that a server takes while it works off a run of all stale sessions, beside what it takes before.
async fn memory(url: &str, size: &Size) {
    let server = Side::ours(url).spawn();
    server.first_answer(&Ask::ours("query ($first: Int) { sessions(first: $first) { nodes { id } } }")).await;
    let before = server.memory();
    let start = "mutation { cleanUpSessions(input: { dryRun: false, allowPendingMessages: true }) { run { id } } }";
    let (answer, _) = server.first_answer(&Ask::ours(start)).await;
    let id = answer["data"]["cleanUpSessions"]["run"]["id"].as_str().unwrap().to_owned();
    let ask = Ask::ours(&format!("{{ cleanupRun(id: \"{id}\") {{ status rowsDeleted rowsUnlinked error }} }}"));
    let mut most = before;
    let run = loop {
        most = most.max(server.memory());
        let run = server.first_answer(&ask).await.0["data"]["cleanupRun"].take();
        if run["status"] != "QUEUED" && run["status"] != "RUNNING" {
            break run;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!((&run["status"], &run["error"]), (&Value::from("SUCCEEDED"), &Value::Null));
    let rows = run["rowsDeleted"].as_i64().unwrap() + run["rowsUnlinked"].as_i64().unwrap();
    println!("| {} | memory in a run of {rows} rows, MiB; before it | {most:.1} | {before:.1} | |", size.name);
}
