//! Tests of several workers on one run, and of several runs on the same sessions.

use std::time::Duration;

use api::cleanup::{self, BatchSize, RunExecutor, RunStatus};
use api::db::{Database, DatabaseSettings, Dialect};
use api::refusal::RefusalCode;
use uuid::Uuid;

use super::{
    SINGLY, create_run, finish, id, ids, list_deletions, list_skipped, request, session_ids, skip_reasons, take_run,
    try_create_run,
};
use crate::support::{TestDb, on_both, only};

on_both!(Adopted: two_runs_delete_every_session_once);
on_both!(long Adopted: two_workers_on_one_run_delete_every_session_once);
only!(postgres Adopted: a_session_that_connects_while_its_batch_waits_for_it_is_left);
only!(long postgres Adopted: a_session_that_somebody_holds_is_left_and_the_others_go);
on_both!(Adopted: a_cleanup_that_cannot_begin_is_refused_and_one_that_cannot_go_on_waits);

/// Executes a run in a new task with a separate connection pool, as another process would.
async fn spawn_worker(db: &TestDb, run: Uuid, pace: BatchSize) -> tokio::task::JoinHandle<api::cleanup::CleanupRun> {
    let database = Database::connect(db.settings()).await.unwrap();
    tokio::spawn(async move { finish(&database, run, pace).await })
}

/// Executes a run in a new task with a separate connection pool, releasing it after every two batches to other workers.
async fn spawn_alternating_worker(db: &TestDb, run: Uuid) -> tokio::task::JoinHandle<api::cleanup::CleanupRun> {
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
    let run = create_run(database, &request()).await;
    let (one, other) = (spawn_alternating_worker(&db, run.id).await, spawn_alternating_worker(&db, run.id).await);
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert_eq!(one, other);
    assert_eq!((one.status, one.sessions_deleted, one.sessions_skipped), (RunStatus::Succeeded, 9, 0));
    assert_eq!(one.rows_deleted, 1_512);
    let deletions = list_deletions(database, run.id).await;
    let mut deleted_ids: Vec<Uuid> =
        deletions.iter().flat_map(|deletion| deletion.sessions.iter().map(|session| session.id)).collect();
    deleted_ids.sort();
    let mut all = ids(0..9);
    all.sort();
    assert_eq!(deleted_ids, all);
    assert_eq!(session_ids(&db).await.len(), 5);
}

async fn two_runs_delete_every_session_once(db: TestDb) {
    let database = db.database().await;
    let first = create_run(database, &request()).await;
    let second = create_run(database, &request()).await;
    let (first, second) = (spawn_worker(&db, first.id, SINGLY).await, spawn_worker(&db, second.id, SINGLY).await);
    let (first, second) = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(first.sessions_deleted + second.sessions_deleted, 9, "{first:?} {second:?}");
    assert_eq!(first.rows_deleted + second.rows_deleted, 1_512);
    for run in [&first, &second] {
        assert_eq!(run.sessions_deleted + run.sessions_skipped, 9);
        let reasons = skip_reasons(database, run.id).await;
        assert!(reasons.iter().all(|(_, code)| *code == RefusalCode::NotFound), "{reasons:?}");
    }
}

async fn a_session_that_somebody_holds_is_left_and_the_others_go(db: TestDb) {
    let settings = DatabaseSettings { lock_timeout: Duration::from_millis(100), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let run = create_run(&database, &request()).await;
    let mut other = db.raw().await;
    other.exec(&format!("BEGIN; SELECT 1 FROM whatsapp_sessions WHERE id = '{}' FOR UPDATE", id(4))).await;
    let mut worker = take_run(&database, run.id, BatchSize::default()).await;
    let mut run = worker.run_next_batch().await.unwrap();
    while !run.status.has_finished() {
        run = worker.run_next_batch().await.unwrap();
    }
    assert_eq!((run.status, run.sessions_deleted, run.sessions_skipped), (RunStatus::Succeeded, 8, 1));
    let skipped = list_skipped(&database, run.id).await;
    assert_eq!((skipped[0].session_id, skipped[0].code), (id(4), RefusalCode::LockTimeout));
    assert!(skipped[0].message.contains("Another transaction holds rows"), "{}", skipped[0].message);
    other.exec("ROLLBACK").await;
}

async fn a_cleanup_that_cannot_begin_is_refused_and_one_that_cannot_go_on_waits(db: TestDb) {
    let settings = DatabaseSettings { lock_timeout: Duration::from_millis(50), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let run = create_run(&database, &request()).await;
    let mut worker = take_run(&database, run.id, BatchSize::default()).await;
    let mut other = db.raw().await;
    other
        .exec(match db.dialect() {
            Dialect::Postgres => "BEGIN; LOCK TABLE whatsapp_sessions IN ACCESS EXCLUSIVE MODE",
            Dialect::Sqlite => "BEGIN IMMEDIATE",
        })
        .await;
    let outcome = try_create_run(&database, &request()).await;
    assert_eq!((outcome.run, outcome.refusals.len()), (None, 1));
    assert_eq!(outcome.refusals[0].code, RefusalCode::LockTimeout);
    // The worker retries for a while before it returns the error. The run stays unchanged.
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
    let run = create_run(database, &request()).await;
    let mut worker = take_run(database, run.id, BatchSize::default()).await;
    // The first batch only checks the sessions, and none is skipped.
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
    assert_eq!(skip_reasons(database, run.id).await, [(id(4), RefusalCode::SessionConnected)]);
}
