//! Runs: what a cleanup and its restore cost in batches, beside one cascading DELETE, and what memory the server takes.

use std::time::{Duration, Instant};

use api::cleanup::{self, CleanupRequest, CleanupRun, Criteria, Pace, RestoreRunRequest, Worker};
use api::db::Database;
use serde_json::Value;
use uuid::Uuid;

use crate::data::{self, Size};
use crate::engine::cascade;
use crate::lists::side::{Ask, Side};
use crate::measure::median;

/// Compares on the database at `url`.
pub async fn run(url: &str, size: &Size) {
    println!("\n| size | what | ours | by hand | ratio |\n|---|---|---|---|---|");
    let db = data::connect(url).await;
    let hundred = data::ids(&db, "WHERE phone_number IS NULL ORDER BY id LIMIT 100").await;
    let mut plain = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        cascade(&db, &hundred).await;
        plain.push(began.elapsed().as_secs_f64() * 1_000.0);
        data::tidy(&db).await;
    }
    let plain = median(plain);
    let show = |what: &str, ours: f64| {
        println!("| {} | {what} | {ours:.0} ms | {plain:.0} ms | {:.2} |", size.name, ours / plain);
    };
    let (run, total, longest) = worked_off(&db, started(&db, &hundred).await).await;
    assert_eq!(run.sessions_deleted, 100, "{run:?}");
    show("a run of 100 sessions", total);
    println!("| {} | its longest batch | {longest:.0} ms | | |", size.name);
    data::tidy(&db).await;
    let (restored, total, longest) = worked_off(&db, restoring(&db, run.id).await).await;
    assert_eq!(restored.rows_restored, run.rows_deleted, "{restored:?}");
    show("the run restored by a run", total);
    println!("| {} | its longest batch | {longest:.0} ms | | |", size.name);
    data::tidy(&db).await;
    db.close().await.unwrap();
    memory(url, size).await;
}

async fn started(db: &Database, ids: &[Uuid]) -> Uuid {
    let request = CleanupRequest {
        criteria: Criteria { ids: Some(ids.to_vec()), ..Criteria::default() },
        allow_pending_messages: true,
        principal: "bench".to_owned(),
        ..CleanupRequest::default()
    };
    cleanup::start(db, None, &request).await.unwrap().run.unwrap().id
}

async fn restoring(db: &Database, run: Uuid) -> Uuid {
    let request = RestoreRunRequest { run_id: run, allow_pending_messages: true, principal: "bench".to_owned() };
    cleanup::restore(db, &request).await.unwrap().run.unwrap().id
}

/// The run at its end, how long all of it took, and the longest step that changed rows: its transaction is not longer.
async fn worked_off(db: &Database, run: Uuid) -> (CleanupRun, f64, f64) {
    let began = Instant::now();
    let mut worker = Worker::take(db.clone(), None, run, Pace::default()).await.unwrap().unwrap();
    let (mut done, mut longest) = (0, 0.0_f64);
    loop {
        let step = Instant::now();
        let now = worker.step().await.unwrap();
        let changed = now.rows_deleted + now.rows_restored;
        if changed > done {
            longest = longest.max(step.elapsed().as_secs_f64() * 1_000.0);
        }
        done = changed;
        if now.status.has_finished() {
            return (now, began.elapsed().as_secs_f64() * 1_000.0, longest);
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
