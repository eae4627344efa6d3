//! Workers, as a server has them: they take runs from the queue, share them, and go on with what others left.

use std::future::ready;
use std::time::Duration;

use api::cleanup::{self, BatchSize, CleanupRequest, Criteria, RunExecutor, RunStatus};
use api::db::{Database, DatabaseSettings, Dialect};
use api::refusal::RefusalCode;
use api::worker::{JobQueue, Workers};

use super::{SINGLY, deletions, finish, id, ids, request, started, why_skipped, worker_of};
use crate::cli::migrate_without_purge;
use crate::support::wait::wait_until_finished;
use crate::support::{TestDb, on_both};

on_both!(Mended:
    two_servers_share_many_runs_and_no_session_goes_twice,
    a_run_whose_worker_is_gone_is_taken_over_when_its_lease_has_run_out,
    a_run_without_a_job_is_queued_again,
    a_run_that_only_meets_errors_ends_failed,
    workers_wait_for_migrate,
    what_was_queued_is_removed_when_it_is_old,
);
on_both!(Adopted:
    a_run_is_one_workers_at_a_time,
    a_worker_that_is_told_to_stop_leaves_the_run_to_others,
    a_run_that_is_under_way_is_cancelled_between_two_batches,
    a_run_that_ends_its_workers_is_given_up,
    a_lease_is_kept_while_a_batch_takes_long,
);

/// How long workers of a test have, which is far longer than they need.
const LIMIT: Duration = Duration::from_mins(1);

/// Another connection to the database, as another process would have it.
async fn connected(db: &TestDb, run_lease: Duration) -> Database {
    Database::connect(DatabaseSettings { run_lease, ..db.settings() }).await.unwrap()
}

async fn two_servers_share_many_runs_and_no_session_goes_twice(db: TestDb) {
    migrate_without_purge(&db).await;
    let mut servers = Vec::new();
    for _ in 0..2 {
        let queue = JobQueue::new(&connected(&db, Duration::from_secs(1)).await);
        servers.push((queue.clone(), Workers::start(queue, None)));
    }
    let database = db.database().await;
    let mut runs = Vec::new();
    // Each session is on three lists.
    for number in 0..27 {
        let criteria = Criteria { ids: Some(ids([number % 9])), ..Criteria::default() };
        let run = started(database, &CleanupRequest { criteria, ..request() }).await.id;
        servers[number % 2].0.push(run).await;
        runs.push(run);
    }
    let (mut gone, mut deleted) = (Vec::new(), 0);
    for run in runs {
        let ended = wait_until_finished(database, run).await;
        assert_eq!((ended.status, ended.sessions_deleted + ended.sessions_skipped), (RunStatus::Succeeded, 1));
        deleted += ended.sessions_deleted;
        gone.extend(deletions(database, run).await.into_iter().flat_map(|made| made.sessions).map(|made| made.id));
    }
    gone.sort();
    let mut all = ids(0..9);
    all.sort();
    assert_eq!((gone, deleted, db.count("whatsapp_sessions").await), (all, 9, 5));
    for (_, workers) in servers {
        assert!(workers.stop(LIMIT).await);
    }
}

async fn a_run_whose_worker_is_gone_is_taken_over_when_its_lease_has_run_out(db: TestDb) {
    migrate_without_purge(&db).await;
    let database = db.database().await;
    let run = started(database, &request()).await.id;
    {
        let mut worker = worker_of(database, run, SINGLY).await;
        while worker.run_next_batch().await.unwrap().sessions_deleted < 2 {}
    }
    assert!(RunExecutor::take(database.clone(), None, run, SINGLY).await.unwrap().is_none(), "it may still live");
    let workers = Workers::start(JobQueue::new(database), None);
    let ended = wait_until_finished(database, run).await;
    assert_eq!((ended.status, ended.sessions_deleted, ended.rows_deleted), (RunStatus::Succeeded, 9, 1_512));
    let gone: Vec<_> = deletions(database, run).await.into_iter().flat_map(|made| made.sessions).collect();
    assert_eq!(gone.len(), 9);
    assert!(workers.stop(LIMIT).await);
}

async fn a_run_without_a_job_is_queued_again(db: TestDb) {
    migrate_without_purge(&db).await;
    let database = db.database().await;
    // One was never queued, of one the job is lost, and one is in the hands of a worker that shows no sign of life.
    let queue = JobQueue::new(database);
    let mut runs = Vec::new();
    for session in 0..3 {
        let criteria = Criteria { ids: Some(ids([session])), ..Criteria::default() };
        runs.push(started(database, &CleanupRequest { criteria, ..request() }).await.id);
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
    let database = connected(&db, Duration::from_millis(300)).await;
    let run = started(&database, &request()).await.id;
    // Nothing can be recorded, so nothing is deleted.
    let table = db.dialect().internal_table("deleted_sessions");
    db.exec(&format!("ALTER TABLE {table} RENAME TO elsewhere")).await;
    let workers = Workers::start(JobQueue::new(&database), None);
    let ended = wait_until_finished(&database, run).await;
    assert_eq!((ended.status, ended.sessions_deleted, ended.sessions_skipped), (RunStatus::Failed, 0, 9));
    let error = ended.error.unwrap();
    assert!(
        error.starts_with("Given up after 10 attempts that brought the run no further. The database lacks"),
        "{error}"
    );
    assert!(why_skipped(&database, run).await.iter().all(|(_, code)| *code == RefusalCode::RunFinished));
    assert_eq!(db.count("whatsapp_sessions").await, 14);
    assert!(workers.stop(LIMIT).await);
}

/// `serve --demo` begins without this program's own tables.
async fn workers_wait_for_migrate(db: TestDb) {
    let database = db.database().await;
    let workers = Workers::start(JobQueue::new(database), None);
    tokio::time::sleep(Duration::from_millis(500)).await;
    migrate_without_purge(&db).await;
    let run = started(database, &request()).await.id;
    assert_eq!(wait_until_finished(database, run).await.sessions_deleted, 9);
    assert!(workers.stop(LIMIT).await);
}

async fn what_was_queued_is_removed_when_it_is_old(db: TestDb) {
    migrate_without_purge(&db).await;
    let database = db.database().await;
    let run = started(database, &request()).await.id;
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
    let left = format!("SELECT count(*) FROM {workers} WHERE last_seen <= {long_ago}");
    db.wait_for(&format!("SELECT count(*) FROM {jobs}"), "0").await;
    db.wait_for(&left, "0").await;
    assert!(second.stop(LIMIT).await);
}

async fn a_run_is_one_workers_at_a_time(db: TestDb) {
    let database = db.database().await;
    let run = started(database, &request()).await.id;
    let worker = worker_of(database, run, SINGLY).await;
    for _ in 0..2 {
        assert!(RunExecutor::take(database.clone(), None, run, SINGLY).await.unwrap().is_none());
    }
    worker.release().await.unwrap();
    let mut other = worker_of(database, run, SINGLY).await;
    // The first one has lost it, and changes nothing any more.
    let before = db.everything().await;
    worker.release().await.unwrap();
    assert!(db.everything().await == before);
    other.run_next_batch().await.unwrap();
    assert!(other.is_held());
}

async fn a_worker_that_is_told_to_stop_leaves_the_run_to_others(db: TestDb) {
    let database = db.database().await;
    let run = started(database, &request()).await.id;
    let mut steps = 0;
    let worker = worker_of(database, run, SINGLY).await;
    let left = worker.run_to_end(ready(()), |_| steps += 1).await.unwrap();
    assert_eq!((left.status, steps), (RunStatus::Running, 1));
    let ended = finish(database, run, BatchSize::default()).await;
    assert_eq!((ended.status, ended.sessions_deleted), (RunStatus::Succeeded, 9));
}

async fn a_run_that_is_under_way_is_cancelled_between_two_batches(db: TestDb) {
    let database = db.database().await;
    let run = started(database, &request()).await.id;
    let mut worker = worker_of(database, run, SINGLY).await;
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
        why_skipped(database, run).await,
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
    let run = started(database, &request()).await.id;
    let lapsed = format!("UPDATE {} SET leased_until = NULL", db.dialect().internal_table("cleanup_runs"));
    for _ in 0..10 {
        worker_of(database, run, SINGLY).await;
        db.exec(&lapsed).await;
    }
    assert!(RunExecutor::take(database.clone(), None, run, SINGLY).await.unwrap().is_none());
    let ended = cleanup::find(database, run).await.unwrap().unwrap();
    assert_eq!((ended.status, ended.sessions_skipped), (RunStatus::Failed, 9));
    assert!(ended.error.unwrap().starts_with("Given up after 10 attempts"));
}

/// What has come further is tried as often again; and nobody takes a run from a worker that is only slow.
async fn a_lease_is_kept_while_a_batch_takes_long(db: TestDb) {
    let settings =
        DatabaseSettings { run_lease: Duration::from_secs(1), lock_timeout: Duration::from_mins(1), ..db.settings() };
    let database = Database::connect(settings.clone()).await.unwrap();
    let other =
        Database::connect(DatabaseSettings { lock_timeout: Duration::from_millis(50), ..settings }).await.unwrap();
    let run = started(&database, &request()).await.id;
    let mut worker = worker_of(&database, run, BatchSize::default()).await;
    worker.run_next_batch().await.unwrap();
    let mut held = db.raw().await;
    held.exec(match db.dialect() {
        Dialect::Postgres => "BEGIN; LOCK TABLE session_admin.deletions IN ACCESS EXCLUSIVE MODE",
        Dialect::Sqlite => "BEGIN IMMEDIATE",
    })
    .await;
    let working = tokio::spawn(async move { worker.run_next_batch().await.unwrap() });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(RunExecutor::take(other.clone(), None, run, SINGLY).await.unwrap().is_none(), "its batch is under way");
    held.exec("ROLLBACK").await;
    assert_eq!(working.await.unwrap().sessions_deleted, 9);
    assert!(RunExecutor::take(other, None, run, SINGLY).await.unwrap().is_none(), "and renewed the lease at its end");
}
