//! Runs that nobody works on and that no job stands for are queued again: a process may have ended between the two, or a
//! run rests and is to be tried again.

use std::time::Duration;

use apalis::prelude::BoxDynError;
use sea_orm::ConnectionTrait as _;
use tokio::time::Instant;

use super::job_queue::{NAME, Queue};
use super::job_runner::Hand;
use super::stop_signal::{migrated, pause};
use crate::cleanup;
use crate::cleanup::RunWithoutJob;
use crate::db::{Database, Dialect};
use crate::error::Error;

/// How often what is left of old jobs is removed, and how old that is.
const TIDY: Duration = Duration::from_hours(1);
const KEPT: Duration = Duration::from_hours(24);

/// Looks for such runs until the workers are to stop.
pub(super) async fn always(queue: Queue, hand: Hand) {
    let db = &hand.db;
    if !migrated(db, &hand.stopping).await {
        return;
    }
    let mut tidied: Option<Instant> = None;
    let mut said = String::new();
    while !pause(&hand.stopping, db.settings().run_lease / 3).await {
        if let Err(error) = again(&queue).await {
            let message = error.to_string();
            if passes(&error) {
                tracing::debug!(error = message, "cleanup runs without a job were not looked for");
            } else if message != said {
                tracing::warn!(error = message, "cleanup runs that nobody works on are not queued again for now");
                said = message;
            }
            continue;
        }
        said.clear();
        if tidied.is_none_or(|last| last.elapsed() >= TIDY) {
            tidied = Some(Instant::now());
            if let Err(error) = tidy(db).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "old jobs were not removed");
            }
        }
    }
}

/// The database is away, which others say, or somebody has locked something.
fn passes(error: &BoxDynError) -> bool {
    matches!(
        error.downcast_ref(),
        Some(Error::Unavailable(_) | Error::ReadOnly(_) | Error::Timeout(_) | Error::LockTimeout(_))
    )
}

async fn again(queue: &Queue) -> Result<(), BoxDynError> {
    for RunWithoutJob { run, lost_job } in without_job(queue.database()).await? {
        tracing::debug!(%run, "a cleanup run is queued again");
        queue.replace(run, lost_job).await?;
    }
    Ok(())
}

/// Returns the runs that any worker may take and whose job is lost, or was last taken by a worker that shows no sign of life.
async fn without_job(db: &Database) -> Result<Vec<RunWithoutJob>, Error> {
    let (jobs, workers) = tables(db.dialect());
    let live_job = |job: &str| {
        format!(
            "SELECT 1 FROM {jobs} job LEFT JOIN {workers} worker ON worker.id = job.lock_by \
             WHERE job.job_type = $2 AND job.idempotency_key = {job} AND (job.status = 'Pending' \
             OR (job.status IN ('Queued', 'Running') AND worker.last_seen >= $3))"
        )
    };
    cleanup::find_without_job(db, live_job, [NAME.into(), seen(db, db.settings().run_lease)]).await
}

/// Removes jobs that are done, and the names of workers that are gone.
async fn tidy(db: &Database) -> Result<(), Error> {
    let dialect = db.dialect();
    let (jobs, workers) = tables(dialect);
    for sql in [
        format!("DELETE FROM {jobs} WHERE job_type = $1 AND status IN ('Done', 'Failed', 'Killed') AND done_at < $2"),
        format!(
            "DELETE FROM {workers} WHERE worker_type = $1 AND last_seen < $2 \
             AND NOT EXISTS (SELECT 1 FROM {jobs} j WHERE j.lock_by = {workers}.id)"
        ),
    ] {
        db.pool().execute_raw(dialect.statement(sql, [NAME.into(), seen(db, KEPT)])).await?;
    }
    Ok(())
}

/// apalis' tables.
const fn tables(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::Postgres => ("apalis.jobs", "apalis.workers"),
        Dialect::Sqlite => ("Jobs", "Workers"),
    }
}

/// A moment so long ago, as apalis writes it down.
fn seen(db: &Database, ago: Duration) -> sea_orm::Value {
    let moment = db.settings().clock.now() - ago;
    match db.dialect() {
        Dialect::Postgres => moment.into(),
        Dialect::Sqlite => moment.timestamp().into(),
    }
}
