//! Tests that a run survives repeated kills of the server process that executes it.

use std::path::Path;
use std::time::{Duration, Instant};

use api::cleanup::{self, CleanupRun, RunStatus};
use api::db::Dialect;
use api::db::pagination::PageRequest;
use api::deletion;
use api::deletion::audit::query;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use serde_json::Value;
use uuid::Uuid;

use crate::cli::migrate_without_purge;
use crate::cli::server::Server;
use crate::support::wait::eventually_within;
use crate::support::{TestDb, on_both, only, say};

on_both!(long Mended: a_server_that_is_killed_again_and_again_does_every_session_once);
only!(long postgres Mended: two_servers_that_are_killed_in_turns_do_every_session_once);

const SESSIONS: usize = 200;
const KILLS: usize = 20;
const TABLES: [&str; 3] = ["whatsapp_sessions", "whatsapp_groups", "whatsapp_group_admins"];

async fn a_server_that_is_killed_again_and_again_does_every_session_once(db: TestDb) {
    run_with_kills(&db, 1).await;
}

async fn two_servers_that_are_killed_in_turns_do_every_session_once(db: TestDb) {
    run_with_kills(&db, 2).await;
}

/// Creates sessions with a thousand rows each, so that a run has many batches.
async fn add_sessions(db: &TestDb) {
    let (numbers, id) = match db.dialect() {
        Dialect::Postgres => ("generate_series(1, {}) AS n(value)", "gen_random_uuid()"),
        Dialect::Sqlite => (
            "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {}) \
             SELECT value FROM n) AS n",
            "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' || \
             substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))",
        ),
    };
    let up_to = |count: usize| numbers.replace("{}", &count.to_string());
    let now = "'2026-01-01T00:00:00+00:00'";
    db.exec_all(&[
        format!(
            "INSERT INTO whatsapp_sessions (id, session_name, status, created_at, updated_at) \
             SELECT {id}, 'killed', 'disconnected', {now}, {now} FROM {}",
            up_to(SESSIONS)
        ),
        format!(
            "INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name, participant_count, created_at, \
             updated_at) SELECT {id}, s.id, 'j', 'g', 0, {now}, {now} FROM whatsapp_sessions s, {} \
             WHERE s.session_name = 'killed'",
            up_to(10)
        ),
        format!(
            "INSERT INTO whatsapp_group_admins (id, group_id, phone, created_at) SELECT {id}, g.id, '+1', {now} \
             FROM whatsapp_groups g JOIN whatsapp_sessions s ON s.id = g.session_id, {} \
             WHERE s.session_name = 'killed'",
            up_to(100)
        ),
    ])
    .await;
}

/// Starts a server on this database, with leases of one second so that the runs of killed workers are taken over soon.
fn start_server(db: &TestDb) -> Server {
    Server::start(Path::new("."), &["--database-url", db.url(), "--run-lease", "1"])
}

async fn run_with_kills(db: &TestDb, servers: usize) {
    let seed = std::env::var("SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
    let mut random = StdRng::seed_from_u64(seed);
    migrate_without_purge(db).await;
    add_sessions(db).await;
    let others = (db.count("whatsapp_sessions").await - 200, db.count("whatsapp_groups").await - 2_000);
    for table in TABLES {
        db.exec(&format!("CREATE TABLE copy_of_{table} AS SELECT * FROM {table}")).await;
    }
    let mut running: Vec<Server> = (0..servers).map(|_| start_server(db)).collect();
    let answer = running[0].post(
        "mutation { cleanUpSessions(input: { dryRun: false, criteria: { search: \"killed\" } }) { run { id status } } }",
    );
    let run = &answer["data"]["cleanUpSessions"]["run"];
    assert_eq!(run["status"], Value::from("QUEUED"), "{answer}");
    let run: Uuid = run["id"].as_str().unwrap().parse().unwrap();
    let start_time = Instant::now();
    for kill in 0..KILLS {
        wait_for_kill_time(db, run, kill, &mut random).await;
        let now = load_run(db, run).await;
        assert!(!now.status.has_finished(), "seed {seed}: ended after {kill} kills: {now:?}");
        let index = kill % servers;
        running[index].kill();
        running[index] = start_server(db);
    }
    let finished = eventually_within(Duration::from_mins(5), async || {
        let now = load_run(db, run).await;
        if now.status.has_finished() { Ok(now) } else { Err(format!("seed {seed}: {now:?}")) }
    })
    .await;
    say(&format!("seed {seed}: {KILLS} kills, the run took {:.1} s", start_time.elapsed().as_secs_f64()));
    assert_deleted_once(db, &finished, others, seed).await;
    restore_with_kills(db, &mut running, &finished, seed).await;
    for server in running {
        assert_eq!(server.stop(), 0);
    }
}

/// Restores the whole run while the servers are killed, and asserts that every row is as before the run.
async fn restore_with_kills(db: &TestDb, running: &mut [Server], cleanup_run: &CleanupRun, seed: u64) {
    let mutation = format!(
        "mutation {{ restoreCleanupRun(input: {{ id: \"{}\" }}) {{ run {{ id kind status }} userErrors {{ message }} }} }}",
        cleanup_run.id
    );
    let answer = running[0].post(&mutation);
    let run = &answer["data"]["restoreCleanupRun"]["run"];
    assert_eq!((&run["kind"], &run["status"]), (&Value::from("RESTORE"), &Value::from("QUEUED")), "{answer}");
    let run: Uuid = run["id"].as_str().unwrap().parse().unwrap();
    let start_time = Instant::now();
    let mut kills = 0;
    let finished = loop {
        let now = load_run(db, run).await;
        if now.status.has_finished() {
            break now;
        }
        if kills < 3 && now.sessions_restored >= kills * 40 {
            let index = usize::try_from(kills).unwrap() % running.len();
            running[index].kill();
            running[index] = start_server(db);
            kills += 1;
        }
        assert!(start_time.elapsed() < Duration::from_mins(5), "seed {seed}: {now:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((finished.status, finished.error.as_deref()), (RunStatus::Succeeded, None), "seed {seed}");
    assert_eq!(
        (finished.sessions_total, finished.sessions_restored, finished.sessions_skipped),
        (200, 200, 0),
        "seed {seed}"
    );
    assert_eq!(finished.rows_restored, cleanup_run.rows_deleted, "seed {seed}");
    for table in TABLES {
        assert_eq!(db.count(table).await, db.count(&format!("copy_of_{table}")).await, "seed {seed}: {table}");
        let other = format!("(SELECT * FROM {table} EXCEPT SELECT * FROM copy_of_{table}) other");
        assert_eq!(db.count(&other).await, 0, "seed {seed}: {table}");
    }
}

async fn load_run(db: &TestDb, run: Uuid) -> CleanupRun {
    cleanup::find(db.database().await, run).await.unwrap().unwrap()
}

/// Waits for the time of the next kill: mostly soon after a worker has made progress, sometimes at a random time.
///
/// If the run is ahead of the kills, there is no extra delay, so that the run outlasts the kills.
async fn wait_for_kill_time(db: &TestDb, run: Uuid, kill: usize, random: &mut StdRng) {
    let before = load_run(db, run).await;
    let ahead = before.sessions_deleted > i64::try_from(kill * SESSIONS / (KILLS + 5)).unwrap();
    if ahead && random.random_bool(0.3) {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        return;
    }
    let limit = Instant::now() + Duration::from_secs(30);
    while load_run(db, run).await.sessions_deleted == before.sessions_deleted {
        assert!(Instant::now() < limit, "nobody goes on with the run: {before:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    if !ahead {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..100))).await;
    }
}

async fn assert_deleted_once(db: &TestDb, run: &CleanupRun, others: (i64, i64), seed: u64) {
    assert_eq!((run.status, run.error.as_deref()), (RunStatus::Succeeded, None), "seed {seed}");
    assert_eq!((run.sessions_total, run.sessions_deleted, run.sessions_skipped), (200, 200, 0), "seed {seed}");
    let remaining = (db.count("whatsapp_sessions").await, db.count("whatsapp_groups").await);
    assert_eq!(remaining, others, "seed {seed}");
    let filter = deletion::DeletionFilter { run_id: Some(run.id), ..deletion::DeletionFilter::default() };
    let page = query::page(db.database().await, &filter, &PageRequest::first(1_000)).await.unwrap();
    let deletions: Vec<_> = page.rows.into_iter().map(|(_, deletion)| deletion).collect();
    let mut deleted_ids: Vec<Uuid> =
        deletions.iter().flat_map(|deletion| &deletion.sessions).map(|session| session.id).collect();
    deleted_ids.sort();
    deleted_ids.dedup();
    let listed: usize = deletions.iter().map(|deletion| deletion.sessions.len()).sum();
    assert_eq!((deleted_ids.len(), listed), (SESSIONS, SESSIONS), "seed {seed}: each session exactly once");
    assert_eq!(run.rows_deleted, deletions.iter().map(|deletion| deletion.rows_deleted).sum::<i64>(), "seed {seed}");
    assert_eq!(run.rows_deleted, 200 * (1 + 10 + 1_000), "seed {seed}");
    assert_eq!(run.rows_unlinked, deletions.iter().map(|deletion| deletion.rows_unlinked).sum::<i64>(), "seed {seed}");
    let query = format!(
        "SELECT count(*) FROM {} c JOIN {} s ON s.deletion_id = c.deletion_id AND s.session_id = c.session_id \
         WHERE c.state = 'DELETED'",
        db.dialect().internal_table("cleanup_run_sessions"),
        db.dialect().internal_table("deleted_sessions")
    );
    assert_eq!(db.rows(&query).await, [["200"]], "seed {seed}");
}
