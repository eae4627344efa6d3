//! The task that queues orphaned runs again: runs without a worker and without a live job.
//!
//! A run is orphaned if a process ended between creating and queueing it, or if it was paused and has to be retried.

use std::time::Duration;

use apalis::prelude::BoxDynError;
use sea_orm::ConnectionTrait as _;
use tokio::time::Instant;

use super::job_queue::{JobQueue, NAME};
use super::job_runner::JobRunner;
use super::stop_signal::{sleep_unless_stopped, wait_until_migrated};
use crate::cleanup;
use crate::cleanup::RunWithoutJob;
use crate::db::{Database, Dialect};
use crate::error::Error;

/// The time between two removals of old jobs and workers.
const REMOVAL_INTERVAL: Duration = Duration::from_hours(1);
/// The time for which finished jobs are retained.
const JOB_RETENTION: Duration = Duration::from_hours(24);

/// Periodically queues orphaned runs again, and removes old jobs, until the stop signal of the workers.
pub(super) async fn requeue_orphans(queue: JobQueue, runner: JobRunner) {
    let db = &runner.db;
    if !wait_until_migrated(db, &runner.stopping).await {
        return;
    }
    let mut last_removal: Option<Instant> = None;
    let mut last_message = String::new();
    while !sleep_unless_stopped(&runner.stopping, db.settings().run_lease / 3).await {
        if let Err(error) = requeue_once(&queue).await {
            let message = error.to_string();
            if is_temporary(&error) {
                tracing::debug!(target: "session_admin::worker", error = message, "cleanup runs without a job were not looked for");
            } else if message != last_message {
                tracing::warn!(target: "session_admin::worker", error = message, "cleanup runs without a worker cannot be queued again at present");
                last_message = message;
            }
            continue;
        }
        last_message.clear();
        if last_removal.is_none_or(|last| last.elapsed() >= REMOVAL_INTERVAL) {
            last_removal = Some(Instant::now());
            if let Err(error) = remove_old_jobs(db).await {
                tracing::debug!(target: "session_admin::worker", error = &error as &dyn std::error::Error, "old jobs were not removed");
            }
        }
    }
}

/// Returns whether an error is temporary: the database is unavailable, which is logged elsewhere, or a lock is held.
fn is_temporary(error: &BoxDynError) -> bool {
    matches!(
        error.downcast_ref(),
        Some(Error::Unavailable(_) | Error::ReadOnly(_) | Error::Timeout(_) | Error::LockTimeout(_))
    )
}

/// Queues all orphaned runs again, once.
async fn requeue_once(queue: &JobQueue) -> Result<(), BoxDynError> {
    for RunWithoutJob { run, lost_job } in find_orphans(queue.database()).await? {
        tracing::debug!(target: "session_admin::worker", %run, "a cleanup run is queued again");
        queue.requeue(run, lost_job).await?;
    }
    Ok(())
}

/// Returns the runs that a worker may lease and that have no live job: the job is lost, or the worker that last locked
/// it has no recent heartbeat.
async fn find_orphans(db: &Database) -> Result<Vec<RunWithoutJob>, Error> {
    let (jobs, workers) = apalis_tables(db.dialect());
    let live_job = |job: &str| {
        format!(
            "SELECT 1 FROM {jobs} job LEFT JOIN {workers} worker ON worker.id = job.lock_by \
             WHERE job.job_type = $2 AND job.idempotency_key = {job} AND (job.status = 'Pending' \
             OR (job.status IN ('Queued', 'Running') AND worker.last_seen >= $3))"
        )
    };
    cleanup::find_without_job(db, live_job, [NAME.into(), stored_time_before(db, db.settings().run_lease)]).await
}

/// Deletes finished jobs, and workers that have ended, after [`JOB_RETENTION`].
async fn remove_old_jobs(db: &Database) -> Result<(), Error> {
    let dialect = db.dialect();
    let (jobs, workers) = apalis_tables(dialect);
    for sql in [
        format!("DELETE FROM {jobs} WHERE job_type = $1 AND status IN ('Done', 'Failed', 'Killed') AND done_at < $2"),
        format!(
            "DELETE FROM {workers} WHERE worker_type = $1 AND last_seen < $2 \
             AND NOT EXISTS (SELECT 1 FROM {jobs} job WHERE job.lock_by = {workers}.id)"
        ),
    ] {
        db.pool().execute_raw(dialect.statement(sql, [NAME.into(), stored_time_before(db, JOB_RETENTION)])).await?;
    }
    Ok(())
}

/// Returns the names of the apalis tables of jobs and of workers.
const fn apalis_tables(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::Postgres => ("apalis.jobs", "apalis.workers"),
        Dialect::Sqlite => ("Jobs", "Workers"),
    }
}

/// Returns the time `ago` before now, in the format in which apalis stores times.
fn stored_time_before(db: &Database, ago: Duration) -> sea_orm::Value {
    let time = db.settings().clock.now() - ago;
    match db.dialect() {
        Dialect::Postgres => time.into(),
        Dialect::Sqlite => time.timestamp().into(),
    }
}
