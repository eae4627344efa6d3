//! The job that stands for a run in the workers' queue.

use sea_orm::{ConnectionTrait, Value};
use uuid::Uuid;

use crate::db::{Database, Dialect};
use crate::error::Error;

/// A run that any worker may take and that no live job stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunWithoutJob {
    /// The run's id.
    pub run: Uuid,
    /// The job that stood for it; none where there was none.
    pub lost_job: Option<String>,
}

/// Makes a job stand for a run that has not finished, in place of the job that did so far. Returns whether it does now:
/// false where another process has just replaced the job.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`], [`Error::LockTimeout`].
pub(crate) async fn replace_job(db: &Database, run: Uuid, lost_job: Option<String>, job: &str) -> Result<bool, Error> {
    let dialect = db.dialect();
    let is_same = match dialect {
        Dialect::Postgres => "IS NOT DISTINCT FROM CAST($3 AS text)",
        Dialect::Sqlite => "IS $3",
    };
    let sql = format!(
        "UPDATE {} SET job = $2 WHERE id = {} AND job {is_same} AND status IN ('QUEUED', 'RUNNING')",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let values = [run.to_string().into(), job.into(), lost_job.into()];
    Ok(db.pool().execute_raw(dialect.statement(sql, values)).await?.rows_affected() > 0)
}

/// Returns the runs that any worker may take now and that no live job stands for.
///
/// `live_job` makes a query of the queue's live jobs for the run whose job is the given SQL expression. It binds
/// `values`, which are numbered from 2.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn find_without_job<const N: usize>(
    db: &Database,
    live_job: impl FnOnce(&str) -> String,
    values: [Value; N],
) -> Result<Vec<RunWithoutJob>, Error> {
    let dialect = db.dialect();
    let sql = format!(
        "SELECT CAST(run.id AS text) AS id, run.job FROM {} run WHERE run.status IN ('QUEUED', 'RUNNING') \
         AND (run.leased_until IS NULL OR run.leased_until <= $1) AND NOT EXISTS ({})",
        db.internal_table("cleanup_runs"),
        live_job("run.job")
    );
    let now = dialect.timestamp_param(db.settings().clock.now());
    let rows = db.pool().query_all_raw(dialect.statement(sql, [now].into_iter().chain(values))).await?;
    let runs = rows.iter().map(|row| {
        let id: String = row.try_get("", "id")?;
        let run = id
            .parse()
            .map_err(|_| Error::IncompatibleDatabase(format!("A cleanup run has the id {id}, which is not a UUID.")))?;
        Ok(RunWithoutJob { run, lost_job: row.try_get("", "job")? })
    });
    runs.collect()
}
