//! Several workers on one run, and several runs on the same sessions.

use std::time::Duration;

use api::cleanup::{self, BatchSize, RunExecutor, RunStatus};
use api::db::{Database, DatabaseSettings, Dialect};
use api::refusal::RefusalCode;
use uuid::Uuid;

use super::{SINGLY, deletions, finish, id, ids, request, sessions, skipped, start, started, why_skipped, worker_of};
use crate::support::{TestDb, on_both, only};

on_both!(Adopted: two_workers_on_one_run_delete_every_session_once, two_runs_delete_every_session_once);
only!(postgres Adopted:
    a_session_that_somebody_holds_is_left_and_the_others_go,
    a_session_that_connects_while_its_batch_waits_for_it_is_left,
);
on_both!(Adopted: a_cleanup_that_cannot_begin_is_refused_and_one_that_cannot_go_on_waits);

/// Works a run off in a task of its own, with a connection pool of its own, as another process would.
async fn elsewhere(db: &TestDb, run: Uuid, pace: BatchSize) -> tokio::task::JoinHandle<api::cleanup::CleanupRun> {
    let database = Database::connect(db.settings()).await.unwrap();
    tokio::spawn(async move { finish(&database, run, pace).await })
}

/// Works a run off together with others, each a step at a time, with a connection pool of its own.
async fn in_turns(db: &TestDb, run: Uuid) -> tokio::task::JoinHandle<api::cleanup::CleanupRun> {
    let database = Database::connect(db.settings()).await.unwrap();
    tokio::spawn(async move {
        loop {
            if let Some(mut worker) = RunExecutor::take(database.clone(), None, run, SINGLY).await.unwrap() {
                for _ in 0..2 {
                    worker.run_next_batch().await.unwrap();
                }
                worker.release().await.unwrap();
            }
            let run = cleanup::find(&database, run).await.unwrap().unwrap();
            if run.status.has_finished() {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}

async fn two_workers_on_one_run_delete_every_session_once(db: TestDb) {
    let database = db.database().await;
    let run = started(database, &request()).await;
    let (one, other) = (in_turns(&db, run.id).await, in_turns(&db, run.id).await);
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert_eq!(one, other);
    assert_eq!((one.status, one.sessions_deleted, one.sessions_skipped), (RunStatus::Succeeded, 9, 0));
    assert_eq!(one.rows_deleted, 1_512);
    let made = deletions(database, run.id).await;
    let mut gone: Vec<Uuid> = made.iter().flat_map(|made| made.sessions.iter().map(|session| session.id)).collect();
    gone.sort();
    let mut all = ids(0..9);
    all.sort();
    assert_eq!(gone, all);
    assert_eq!(sessions(&db).await.len(), 5);
}

async fn two_runs_delete_every_session_once(db: TestDb) {
    let database = db.database().await;
    let first = started(database, &request()).await;
    let second = started(database, &request()).await;
    let (first, second) = (elsewhere(&db, first.id, SINGLY).await, elsewhere(&db, second.id, SINGLY).await);
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(first.sessions_deleted + second.sessions_deleted, 9, "{first:?} {second:?}");
    assert_eq!(first.rows_deleted + second.rows_deleted, 1_512);
    for run in [&first, &second] {
        assert_eq!(run.sessions_deleted + run.sessions_skipped, 9);
        let why = why_skipped(database, run.id).await;
        assert!(why.iter().all(|(_, code)| *code == RefusalCode::NotFound), "{why:?}");
    }
}

async fn a_session_that_somebody_holds_is_left_and_the_others_go(db: TestDb) {
    let settings = DatabaseSettings { lock_timeout: Duration::from_millis(100), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let run = started(&database, &request()).await;
    let mut other = db.raw().await;
    other.exec(&format!("BEGIN; SELECT 1 FROM whatsapp_sessions WHERE id = '{}' FOR UPDATE", id(4))).await;
    let mut worker = worker_of(&database, run.id, BatchSize::default()).await;
    let mut run = worker.run_next_batch().await.unwrap();
    while !run.status.has_finished() {
        run = worker.run_next_batch().await.unwrap();
    }
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 8, 1));
    let left = skipped(&database, run.id).await;
    assert_eq!((left[0].session_id, left[0].code), (id(4), RefusalCode::LockTimeout));
    assert!(left[0].message.contains("Another transaction holds rows"), "{}", left[0].message);
    other.exec("ROLLBACK").await;
}

async fn a_cleanup_that_cannot_begin_is_refused_and_one_that_cannot_go_on_waits(db: TestDb) {
    let settings = DatabaseSettings { lock_timeout: Duration::from_millis(50), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let run = started(&database, &request()).await;
    let mut worker = worker_of(&database, run.id, BatchSize::default()).await;
    let mut other = db.raw().await;
    other
        .exec(match db.dialect() {
            Dialect::Postgres => "BEGIN; LOCK TABLE whatsapp_sessions IN ACCESS EXCLUSIVE MODE",
            Dialect::Sqlite => "BEGIN IMMEDIATE",
        })
        .await;
    let outcome = start(&database, &request()).await;
    assert_eq!((outcome.run, outcome.refusals.len()), (None, 1));
    assert_eq!(outcome.refusals[0].code, RefusalCode::LockTimeout);
    // It waits for a while, and then it is somebody's turn to say so; the run stays as it is.
    let error = loop {
        match worker.run_next_batch().await {
            Ok(run) => assert_eq!((run.status, run.sessions_skipped), (RunStatus::Running, 0)),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "TIMEOUT");
    other.exec("ROLLBACK").await;
    worker.release().await.unwrap();
    let run = finish(&database, run.id, BatchSize::default()).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 9));
}

async fn a_session_that_connects_while_its_batch_waits_for_it_is_left(db: TestDb) {
    let database = db.database().await;
    let run = started(database, &request()).await;
    let mut worker = worker_of(database, run.id, BatchSize::default()).await;
    // The sessions are looked at, and all of them may go.
    assert_eq!(worker.run_next_batch().await.unwrap().sessions_skipped, 0);
    let mut other = db.raw().await;
    other.exec(&format!("BEGIN; UPDATE whatsapp_sessions SET status = 'connected' WHERE id = '{}'", id(4))).await;
    let running = tokio::spawn(async move { (worker.run_next_batch().await.unwrap(), worker) });
    db.wait_for_lock_waiters(1).await;
    other.exec("COMMIT").await;
    let (run, worker) = running.await.unwrap();
    assert_eq!((run.sessions_deleted, run.sessions_skipped), (0, 0), "the batch went back as a whole");
    worker.release().await.unwrap();
    let run = finish(database, run.id, BatchSize::default()).await;
    assert_eq!((run.status, run.sessions_deleted), (RunStatus::Succeeded, 8));
    assert_eq!(why_skipped(database, run.id).await, [(id(4), RefusalCode::SessionConnected)]);
}
