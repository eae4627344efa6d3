//! The progress of a run in its rows. Each change is a transaction of its own, made by the worker that has the lease.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde_json::json;
use uuid::Uuid;

use super::model::SkippedSession;
use super::run_claim::{RunLease, claim, renew};
use super::run_record::id;
use crate::db::{Database, Dialect, WriteTransaction};
use crate::error::Error;
use crate::refusal::RefusalCode;

/// The state of a session that has not been deleted or restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionState {
    /// It is pending.
    Queued,
    /// It is tried again at the end, together with the other deferred sessions.
    Deferred,
    /// It is skipped.
    Skipped,
}

impl SessionState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Deferred => "DEFERRED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// The codes of sessions that the database refused, in contrast to sessions that were not eligible.
const REFUSED_CODES: &str = "('BLOCKED_BY_FOREIGN_KEY', 'LOCK_TIMEOUT', 'IMPACT_CHANGED')";

/// Returns the first sessions in a state, in the order of the run's list; all of them without a limit.
pub(super) async fn next_sessions(
    db: &Database,
    run: Uuid,
    state: SessionState,
    limit: Option<u32>,
) -> Result<Vec<Uuid>, Error> {
    let dialect = db.dialect();
    let limit = limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
    let sql = format!(
        "SELECT session_id FROM {} WHERE run_id = {} AND state = '{}' ORDER BY position{limit}",
        db.internal_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1),
        state.as_str()
    );
    let rows = db.pool().query_all_raw(dialect.statement(sql, [run.to_string().into()])).await?;
    rows.iter().map(|row| id(&row.try_get::<String>("", "session_id")?)).collect()
}

/// Sets pending sessions aside, each with the reason. Returns false where another worker has the run.
pub(super) async fn set_aside(
    db: &Database,
    lease: &RunLease,
    sessions: &[SkippedSession],
    state: SessionState,
) -> Result<bool, Error> {
    let (dialect, run) = (db.dialect(), lease.run);
    let listed = match dialect {
        Dialect::Postgres => "jsonb_array_elements(CAST($2 AS jsonb)) AS listed(value)",
        Dialect::Sqlite => "json_each($2) AS listed",
    };
    let sql = format!(
        "UPDATE {} AS session SET state = '{}', code = listed.value ->> 'code', message = listed.value ->> 'message' \
         FROM {listed} WHERE session.run_id = {} AND session.session_id = listed.value ->> 'id' \
         AND session.state IN ('QUEUED', 'DEFERRED')",
        db.internal_table("cleanup_run_sessions"),
        state.as_str(),
        dialect.uuid_parameter(1)
    );
    let values = [run.to_string().into(), json!(sessions).to_string().into()];
    with_claim(db, lease, async |transaction| {
        let changed = transaction.execute_raw(dialect.statement(sql, values)).await?.rows_affected();
        if state == SessionState::Skipped { count_skipped(transaction, db, run, changed).await } else { Ok(()) }
    })
    .await
}

/// Ends a run as FAILED; its pending sessions are skipped with this code. Returns false where another worker has the
/// run.
pub(super) async fn stop(db: &Database, lease: &RunLease, code: RefusalCode, error: &str) -> Result<bool, Error> {
    with_claim(db, lease, async |transaction| {
        let message = format!("The run ended before it reached this session: {error}");
        skip_pending(transaction, db, lease.run, code, message).await?;
        finish(transaction, db, lease.run, "'FAILED'", Some(error)).await
    })
    .await
}

/// Ends a locked run as CANCELLED; its pending sessions are skipped.
pub(super) async fn cancel(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    principal: &str,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let message = format!("{principal} cancelled the run before it reached this session.");
    skip_pending(transaction, db, run, RefusalCode::RunFinished, message).await?;
    finish(transaction, db, run, "'CANCELLED'", None).await?;
    let sql = format!(
        "UPDATE {} SET cancelled_by = $2 WHERE id = {}",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    transaction.execute_raw(dialect.statement(sql, [run.to_string().into(), principal.into()])).await?;
    Ok(())
}

/// Skips the pending sessions of a run.
async fn skip_pending(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    code: RefusalCode,
    message: String,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let sql = format!(
        "UPDATE {} SET state = 'SKIPPED', code = $2, message = $3 \
         WHERE run_id = {} AND state IN ('QUEUED', 'DEFERRED')",
        db.internal_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1)
    );
    let values = [run.to_string().into(), json!(code).as_str().unwrap_or_default().into(), message.into()];
    let changed = transaction.execute_raw(dialect.statement(sql, values)).await?.rows_affected();
    count_skipped(transaction, db, run, changed).await
}

/// Ends a run that has no pending session. It has failed where nothing was `done` (deleted, restored) because the
/// database refused, or where a restore restored nothing for any reason. Returns false where another worker has the
/// run.
pub(super) async fn complete(db: &Database, lease: &RunLease, done: &str) -> Result<bool, Error> {
    let (dialect, run) = (db.dialect(), lease.run);
    let sql = format!(
        "SELECT session.message FROM {} session JOIN {} run ON run.id = session.run_id WHERE session.run_id = {} \
         AND session.state = 'SKIPPED' AND (run.kind = 'RESTORE' OR session.code IN {REFUSED_CODES}) \
         ORDER BY session.position LIMIT 1",
        db.internal_table("cleanup_run_sessions"),
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    with_claim(db, lease, async |transaction| {
        let row = transaction.query_one_raw(dialect.statement(sql, [run.to_string().into()])).await?;
        let refused: Option<String> = row.map(|row| row.try_get("", "message")).transpose()?;
        match refused {
            None => finish(transaction, db, run, "'SUCCEEDED'", None).await,
            Some(message) => {
                let status = "CASE WHEN sessions_deleted + sessions_restored = 0 THEN 'FAILED' ELSE 'SUCCEEDED' END";
                finish(transaction, db, run, status, Some(&format!("No session could be {done}. {message}"))).await
            }
        }
    })
    .await
}

/// Ends a run. `status` is SQL over the run's row; the error is stored only where the status is FAILED.
async fn finish(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    status: &str,
    error: Option<&str>,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let pending = format!(
        "SELECT 1 FROM {} WHERE run_id = {} AND state IN ('QUEUED', 'DEFERRED')",
        db.internal_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1)
    );
    let sql = format!(
        "UPDATE {} SET status = {status}, finished_at = $2, leased_by = NULL, leased_until = NULL, \
         error = CASE WHEN {status} = 'FAILED' THEN CAST($3 AS text) END WHERE id = {} AND NOT EXISTS ({pending})",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let values: [Value; 3] =
        [run.to_string().into(), dialect.timestamp_param(db.settings().clock.now()), error.map(str::to_owned).into()];
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}

async fn count_skipped(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    sessions: u64,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let sql = format!(
        "UPDATE {} SET sessions_skipped = sessions_skipped + $2 WHERE id = {}",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let sessions = i64::try_from(sessions).unwrap_or(i64::MAX);
    transaction.execute_raw(dialect.statement(sql, [run.to_string().into(), sessions.into()])).await?;
    Ok(())
}

/// Changes a run in a transaction that claims it and renews its lease. Returns false where another worker has the run.
async fn with_claim(
    db: &Database,
    lease: &RunLease,
    change: impl AsyncFnOnce(&DatabaseTransaction) -> Result<(), Error>,
) -> Result<bool, Error> {
    let WriteTransaction { transaction, writer_guard: _writer_guard } = db.begin_write(true).await?;
    if claim(&transaction, db, lease).await?.is_none() {
        transaction.rollback().await?;
        return Ok(false);
    }
    let changed = match change(&transaction).await {
        Ok(()) => renew(&transaction, db, lease).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(()) => transaction.commit().await?,
        Err(error) => {
            // The first error is the one to report.
            let _ = transaction.rollback().await;
            return Err(error);
        }
    }
    Ok(true)
}
