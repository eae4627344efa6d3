//! Tests of a server's workers: they take runs from the queue, share them, and continue interrupted runs.

use std::future::ready;
use std::time::Duration;

use api::cleanup::{self, BatchSize, CleanupRequest, Criteria, RunExecutor, RunStatus};
use api::db::{Database, DatabaseSettings, Dialect};
use api::refusal::RefusalCode;
use api::worker::{JobQueue, Workers};

use super::{SINGLY, create_run, finish, id, ids, list_deletions, request, skip_reasons, take_run};
use crate::cli::migrate_without_purge;
use crate::support::wait::wait_until_finished;
use crate::support::{TestDb, on_both};

on_both!(Mended: a_run_without_a_job_is_queued_again);
on_both!(long Mended:
    workers_wait_for_migrate,
    what_was_queued_is_removed_when_it_is_old,
    a_run_whose_worker_is_gone_is_taken_over_when_its_lease_has_run_out,
    two_servers_share_many_runs_and_no_session_goes_twice,
    a_run_that_only_meets_errors_ends_failed,
);
on_both!(Adopted:
    a_run_is_one_workers_at_a_time,
    a_worker_that_is_told_to_stop_leaves_the_run_to_others,
    a_run_that_is_under_way_is_cancelled_between_two_batches,
    a_run_that_ends_its_workers_is_given_up,
);
on_both!(long Adopted: a_lease_is_kept_while_a_batch_takes_long);

/// How long workers may take to stop, far longer than they need.
const LIMIT: Duration = Duration::from_mins(1);

/// Connects a separate pool, as another process would.
async fn connect(db: &TestDb, run_lease: Duration) -> Database {
    Database::connect(DatabaseSettings { run_lease, ..db.settings() }).await.unwrap()
}

async fn two_servers_share_many_runs_and_no_session_goes_twice(db: TestDb) {
    migrate_without_purge(&db).await;
    let mut servers = Vec::new();
    for _ in 0..2 {
        let queue = JobQueue::new(&connect(&db, Duration::from_secs(1)).await);
        servers.push((queue.clone(), Workers::start(queue, None)));
    }
    let database = db.database().await;
    let mut runs = Vec::new();
    // Each session is in the lists of three runs.
    for number in 0..27 {
        let criteria = Criteria { ids: Some(ids([number % 9])), ..Criteria::default() };
        let run = create_run(database, &CleanupRequest { criteria, ..request() }).await.id;
        servers[number % 2].0.push(run).await;
        runs.push(run);
    }
    let (mut deleted_ids, mut deleted) = (Vec::new(), 0);
    for run in runs {
        let finished = wait_until_finished(database, run).await;
        assert_eq!((finished.status, finished.sessions_deleted + finished.sessions_skipped), (RunStatus::Succeeded, 1));
        deleted += finished.sessions_deleted;
        let deletions = list_deletions(database, run).await.into_iter();
        deleted_ids.extend(deletions.flat_map(|deletion| deletion.sessions).map(|session| session.id));
    }
    deleted_ids.sort();
    let mut all = ids(0..9);
    all.sort();
    assert_eq!((deleted_ids, deleted, db.count("whatsapp_sessions").await), (all, 9, 5));
    for (_, workers) in servers {
        assert!(workers.stop(LIMIT).await);
    }
}

async fn a_run_whose_worker_is_gone_is_taken_over_when_its_lease_has_run_out(db: TestDb) {
    migrate_without_purge(&db).await;
    let database = db.database().await;
    let run = create_run(database, &request()).await.id;
    {
        let mut worker = take_run(database, run, SINGLY).await;
        while worker.run_next_batch().await.unwrap().sessions_deleted < 2 {}
    }
    assert!(RunExecutor::take(database.clone(), None, run, SINGLY).await.unwrap().is_none(), "it may still live");
    let workers = Workers::start(JobQueue::new(database), None);
    let finished = wait_until_finished(database, run).await;
    assert_eq!((finished.status, finished.sessions_deleted, finished.rows_deleted), (RunStatus::Succeeded, 9, 1_512));
    let sessions: Vec<_> =
        list_deletions(database, run).await.into_iter().flat_map(|deletion| deletion.sessions).collect();
    assert_eq!(sessions.len(), 9);
    assert!(workers.stop(LIMIT).await);
}

async fn a_run_without_a_job_is_queued_again(db: TestDb) {
    migrate_without_purge(&db).await;
    let database = db.database().await;
    // The first run was never queued, the second run's job is lost, and the third run's worker has stopped responding.
    let queue = JobQueue::new(database);
    let mut runs = Vec::new();
    for session in 0..3 {
        let criteria = Criteria { ids: Some(ids([session])), ..Criteria::default() };
        runs.push(create_run(database, &CleanupRequest { criteria, ..request() }).await.id);
    }
    queue.push(runs[1]).await;
    queue.push(runs[2]).await;
    let (jobs, workers) = match db.dialect() {
        Dialect::Postgres => ("apalis.jobs", "apalis.workers"),
        Dialect::Sqlite => ("Jobs", "Workers"),
    };
    let job = format!("(SELECT job FROM {} WHERE id = '{}')", db.dialect().internal_table("cleanup_runs"), runs[2]);
    let long_ago = match db.dialect() {
        Dialect::Postgres => "now() - interval '1 hour'",
        Dialect::Sqlite => "strftime('%s', 'now') - 3600",
    };
    db.exec(&format!(
        "DELETE FROM {jobs} WHERE idempotency_key <> {job}; \
         INSERT INTO {workers} (id, worker_type, storage_name, layers, last_seen) \
         VALUES ('gone', 'session-admin', '', '', {long_ago}); \
         UPDATE {jobs} SET status = 'Running', lock_by = 'gone'"
    ))
    .await;
    let working = Workers::start(queue, None);
    for run in runs {
        assert_eq!(wait_until_finished(database, run).await.sessions_deleted, 1);
    }
    assert!(working.stop(LIMIT).await);
}

async fn a_run_that_only_meets_errors_ends_failed(db: TestDb) {
    migrate_without_purge(&db).await;
    let database = connect(&db, Duration::from_millis(300)).await;
    let run = create_run(&database, &request()).await.id;
    // Without this table, no deletion can be recorded, so every batch fails.
    let table = db.dialect().internal_table("deleted_sessions");
    db.exec(&format!("ALTER TABLE {table} RENAME TO elsewhere")).await;
    let workers = Workers::start(JobQueue::new(&database), None);
    let finished = wait_until_finished(&database, run).await;
    assert_eq!((finished.status, finished.sessions_deleted, finished.sessions_skipped), (RunStatus::Failed, 0, 9));
    let error = finished.error.unwrap();
    assert!(error.starts_with("The run made no progress in 10 attempts. The database lacks"), "{error}");
    assert!(skip_reasons(&database, run).await.iter().all(|(_, code)| *code == RefusalCode::RunFinished));
    assert_eq!(db.count("whatsapp_sessions").await, 14);
    assert!(workers.stop(LIMIT).await);
}

/// `serve --demo` starts its workers before the internal tables exist.
async fn workers_wait_for_migrate(db: TestDb) {
    let database = db.database().await;
    let workers = Workers::start(JobQueue::new(database), None);
    tokio::time::sleep(Duration::from_millis(500)).await;
    migrate_without_purge(&db).await;
    let run = create_run(database, &request()).await.id;
    assert_eq!(wait_until_finished(database, run).await.sessions_deleted, 9);
    assert!(workers.stop(LIMIT).await);
}

async fn what_was_queued_is_removed_when_it_is_old(db: TestDb) {
    migrate_without_purge(&db).await;
    let database = db.database().await;
    let run = create_run(database, &request()).await.id;
    let (jobs, workers, long_ago) = match db.dialect() {
        Dialect::Postgres => ("apalis.jobs", "apalis.workers", "now() - interval '2 days'"),
        Dialect::Sqlite => ("Jobs", "Workers", "strftime('%s', 'now') - 172800"),
    };
    let first = Workers::start(JobQueue::new(database), None);
    wait_until_finished(database, run).await;
    assert!(first.stop(LIMIT).await);
    assert_eq!((db.count(jobs).await, db.count(workers).await), (1, 1));
    db.exec(&format!("UPDATE {jobs} SET done_at = {long_ago}; UPDATE {workers} SET last_seen = {long_ago}")).await;
    let second = Workers::start(JobQueue::new(database), None);
    let old_workers = format!("SELECT count(*) FROM {workers} WHERE last_seen <= {long_ago}");
    db.wait_for(&format!("SELECT count(*) FROM {jobs}"), "0").await;
    db.wait_for(&old_workers, "0").await;
    assert!(second.stop(LIMIT).await);
}

async fn a_run_is_one_workers_at_a_time(db: TestDb) {
    let database = db.database().await;
    let run = create_run(database, &request()).await.id;
    let worker = take_run(database, run, SINGLY).await;
    for _ in 0..2 {
        assert!(RunExecutor::take(database.clone(), None, run, SINGLY).await.unwrap().is_none());
    }
    worker.release().await.unwrap();
    let mut other = take_run(database, run, SINGLY).await;
    // The first worker no longer holds the lease, so it changes nothing.
    let before = db.everything().await;
    worker.release().await.unwrap();
    assert!(db.everything().await == before);
    other.run_next_batch().await.unwrap();
    assert!(other.is_held());
}

async fn a_worker_that_is_told_to_stop_leaves_the_run_to_others(db: TestDb) {
    let database = db.database().await;
    let run = create_run(database, &request()).await.id;
    let mut steps = 0;
    let worker = take_run(database, run, SINGLY).await;
    let stopped = worker.run_to_end(ready(()), |_| steps += 1).await.unwrap();
    assert_eq!((stopped.status, steps), (RunStatus::Running, 1));
    let finished = finish(database, run, BatchSize::default()).await;
    assert_eq!((finished.status, finished.sessions_deleted), (RunStatus::Succeeded, 9));
}

async fn a_run_that_is_under_way_is_cancelled_between_two_batches(db: TestDb) {
    let database = db.database().await;
    let run = create_run(database, &request()).await.id;
    let mut worker = take_run(database, run, SINGLY).await;
    while worker.run_next_batch().await.unwrap().sessions_deleted < 3 {}
    let cancelled = cleanup::cancel(database, run, "somebody").await.unwrap().run.unwrap();
    assert_eq!(
        (cancelled.status, cancelled.sessions_deleted, cancelled.sessions_skipped),
        (RunStatus::Cancelled, 3, 6)
    );
    assert_eq!((cancelled.cancelled_by.as_deref(), cancelled.error.as_deref()), (Some("somebody"), None));
    assert!(cancelled.finished_at.is_some());
    assert_eq!(worker.run_next_batch().await.unwrap(), cancelled);
    assert!(!worker.is_held());
    assert_eq!(
        skip_reasons(database, run).await,
        ids(3..9).into_iter().map(|id| (id, RefusalCode::RunFinished)).collect::<Vec<_>>()
    );
    assert_eq!(db.count("whatsapp_sessions").await, 11);
    let again = cleanup::cancel(database, run, "somebody").await.unwrap();
    assert_eq!((again.run, again.refusals[0].code), (None, RefusalCode::RunFinished));
    let unknown = cleanup::cancel(database, id(0), "somebody").await.unwrap();
    assert_eq!((unknown.run, unknown.refusals[0].code), (None, RefusalCode::NotFound));
}

async fn a_run_that_ends_its_workers_is_given_up(db: TestDb) {
    let database = db.database().await;
    let run = create_run(database, &request()).await.id;
    let expire_lease = format!("UPDATE {} SET leased_until = NULL", db.dialect().internal_table("cleanup_runs"));
    for _ in 0..10 {
        take_run(database, run, SINGLY).await;
        db.exec(&expire_lease).await;
    }
    assert!(RunExecutor::take(database.clone(), None, run, SINGLY).await.unwrap().is_none());
    let finished = cleanup::find(database, run).await.unwrap().unwrap();
    assert_eq!((finished.status, finished.sessions_skipped), (RunStatus::Failed, 9));
    assert!(finished.error.unwrap().starts_with("The run made no progress in 10 attempts"));
}

/// A slow worker renews its lease during a batch, so that no other worker takes the run. Progress resets the attempts.
async fn a_lease_is_kept_while_a_batch_takes_long(db: TestDb) {
    let settings =
        DatabaseSettings { run_lease: Duration::from_secs(1), lock_timeout: Duration::from_mins(1), ..db.settings() };
    let database = Database::connect(settings.clone()).await.unwrap();
    let other =
        Database::connect(DatabaseSettings { lock_timeout: Duration::from_millis(50), ..settings }).await.unwrap();
    let run = create_run(&database, &request()).await.id;
    let mut worker = take_run(&database, run, BatchSize::default()).await;
    worker.run_next_batch().await.unwrap();
    let mut lock_holder = db.raw().await;
    lock_holder
        .exec(match db.dialect() {
            Dialect::Postgres => "BEGIN; LOCK TABLE session_admin.deletions IN ACCESS EXCLUSIVE MODE",
            Dialect::Sqlite => "BEGIN IMMEDIATE",
        })
        .await;
    let working = tokio::spawn(async move { worker.run_next_batch().await.unwrap() });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(RunExecutor::take(other.clone(), None, run, SINGLY).await.unwrap().is_none(), "its batch is under way");
    lock_holder.exec("ROLLBACK").await;
    assert_eq!(working.await.unwrap().sessions_deleted, 9);
    assert!(RunExecutor::take(other, None, run, SINGLY).await.unwrap().is_none(), "and renewed the lease at its end");
}
