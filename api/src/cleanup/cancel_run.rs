//! Cancelling a run between two batches, or before the first.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use super::model::{RunOutcome, RunStatus};
use super::run_record::find_many;
use super::{run_lease, run_progress};
use crate::db::{Database, Dialect, WriteTransaction};
use crate::deletion::refusals;
use crate::error::Error;
use crate::refusal::{Refusal, RefusalCode};

/// Cancels a run. It waits for a batch that is under way; the pending sessions are listed as skipped.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn cancel(db: &Database, run: Uuid, principal: &str) -> Result<RunOutcome, Error> {
    match cancel_in_transaction(db, run, principal).await {
        Err(Error::LockTimeout(source)) => {
            tracing::info!(target: "session_admin::cleanup", %source, "a cancellation gave up waiting for a batch");
            Ok(RunOutcome { refusals: vec![refusals::lock_timeout("cancellation")], ..RunOutcome::default() })
        }
        other => other,
    }
}

/// Ends a run that no worker has leased as FAILED, and marks its pending sessions as skipped. Returns false if a worker
/// has leased it in the meantime.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn give_up(db: &Database, run: Uuid, reason: &str) -> Result<bool, Error> {
    match run_lease::take(db, run).await? {
        Some(lease) => run_progress::stop(db, &lease, RefusalCode::RunFinished, reason).await,
        None => Ok(false),
    }
}

async fn cancel_in_transaction(db: &Database, run: Uuid, principal: &str) -> Result<RunOutcome, Error> {
    let WriteTransaction { transaction, writer_guard: _writer_guard } = db.begin_write(true).await?;
    let refusal = match lock_status(&transaction, db, run).await? {
        None => {
            Some(Refusal::for_field("input.id", RefusalCode::NotFound, format!("No cleanup run has the id {run}.")))
        }
        Some(status) if status.has_finished() => Some(Refusal::for_field(
            "input.id",
            RefusalCode::RunFinished,
            "The run has finished: there is nothing to cancel.",
        )),
        Some(_) => None,
    };
    if let Some(refusal) = refusal {
        transaction.rollback().await?;
        return Ok(RunOutcome { refusals: vec![refusal], ..RunOutcome::default() });
    }
    run_progress::cancel(&transaction, db, run, principal).await?;
    let cancelled = find_many(&transaction, db, &[run]).await?.pop();
    transaction.commit().await?;
    tracing::info!(target: "session_admin::cleanup", %run, by = principal, "a cleanup run was cancelled");
    Ok(RunOutcome { run: cancelled, refusals: Vec::new() })
}

/// Returns the status of a run and locks the run until the transaction ends.
async fn lock_status(transaction: &DatabaseTransaction, db: &Database, run: Uuid) -> Result<Option<RunStatus>, Error> {
    let dialect = db.dialect();
    let lock = match dialect {
        Dialect::Postgres => " FOR UPDATE",
        Dialect::Sqlite => "",
    };
    let table = db.internal_table("cleanup_runs");
    let sql = format!("SELECT status FROM {table} WHERE id = {}{lock}", dialect.uuid_parameter(1));
    let row = transaction.query_one_raw(dialect.statement(sql, [run.to_string().into()])).await?;
    row.map(|row| RunStatus::from_name(&row.try_get::<String>("", "status")?)).transpose()
}
