//! What a run has come to, in its rows. Each change is a transaction of its own, made by whoever holds the run.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde_json::json;
use uuid::Uuid;

use super::model::SkippedSession;
use super::run_claim::{RunLease, claim, renew};
use super::run_record::id;
use crate::db::{Database, Dialect, Writing};
use crate::error::Error;
use crate::refusal::RefusalCode;

/// What becomes of a session that does not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Its turn has not come.
    Queued,
    /// It is tried again at the end, with others of its kind.
    Deferred,
    /// It stays.
    Skipped,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Deferred => "DEFERRED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// The codes of sessions that the database refused, rather than that were unfit to go.
const REFUSED: &str = "('BLOCKED_BY_FOREIGN_KEY', 'LOCK_TIMEOUT', 'IMPACT_CHANGED')";

/// The first sessions in a state, in the order in which they go; all of them without a limit.
pub(super) async fn next(db: &Database, run: Uuid, state: State, limit: Option<u32>) -> Result<Vec<Uuid>, Error> {
    let dialect = db.dialect();
    let limit = limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
    let sql = format!(
        "SELECT session_id FROM {} WHERE run_id = {} AND state = '{}' ORDER BY position{limit}",
        db.own_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1),
        state.word()
    );
    let rows = db.pool().query_all_raw(dialect.statement(sql, [run.to_string().into()])).await?;
    rows.iter().map(|row| id(&row.try_get::<String>("", "session_id")?)).collect()
}

/// Sets sessions aside that were still to go, each with the reason. Says whether the run could be claimed for it.
pub(super) async fn set_aside(
    db: &Database,
    lease: &RunLease,
    sessions: &[SkippedSession],
    state: State,
) -> Result<bool, Error> {
    let (dialect, run) = (db.dialect(), lease.run);
    let listed = match dialect {
        Dialect::Postgres => "jsonb_array_elements(CAST($2 AS jsonb)) AS aside(value)",
        Dialect::Sqlite => "json_each($2) AS aside",
    };
    let sql = format!(
        "UPDATE {} AS c SET state = '{}', code = aside.value ->> 'code', message = aside.value ->> 'message' \
         FROM {listed} WHERE c.run_id = {} AND c.session_id = aside.value ->> 'id' \
         AND c.state IN ('QUEUED', 'DEFERRED')",
        db.own_table("cleanup_run_sessions"),
        state.word(),
        dialect.uuid_parameter(1)
    );
    let values = [run.to_string().into(), json!(sessions).to_string().into()];
    claimed(db, lease, async |transaction| {
        let changed = transaction.execute_raw(dialect.statement(sql, values)).await?.rows_affected();
        if state == State::Skipped { count_skipped(transaction, db, run, changed).await } else { Ok(()) }
    })
    .await
}

/// Ends a run early: what is still to go stays, each with this code.
pub(super) async fn stop(db: &Database, lease: &RunLease, code: RefusalCode, error: &str) -> Result<bool, Error> {
    claimed(db, lease, async |transaction| {
        let message = format!("The run ended before its turn: {error}");
        skip_the_rest(transaction, db, lease.run, code, message).await?;
        finish(transaction, db, lease.run, "'FAILED'", Some(error)).await
    })
    .await
}

/// Ends a run that somebody has locked and wants no more of.
pub(super) async fn cancel(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    principal: &str,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let message = format!("The run was cancelled before its turn, by {principal}.");
    skip_the_rest(transaction, db, run, RefusalCode::RunFinished, message).await?;
    finish(transaction, db, run, "'CANCELLED'", None).await?;
    let sql = format!(
        "UPDATE {} SET cancelled_by = $2 WHERE id = {}",
        db.own_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    transaction.execute_raw(dialect.statement(sql, [run.to_string().into(), principal.into()])).await?;
    Ok(())
}

/// What is still to go stays.
async fn skip_the_rest(
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
        db.own_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1)
    );
    let values = [run.to_string().into(), json!(code).as_str().unwrap_or_default().into(), message.into()];
    let changed = transaction.execute_raw(dialect.statement(sql, values)).await?.rows_affected();
    count_skipped(transaction, db, run, changed).await
}

/// Ends a run that has nothing left to try. One of which nothing was `done` (deleted, restored) because the database
/// refused has failed; so has a run that restores nothing for whatever reason.
pub(super) async fn complete(db: &Database, lease: &RunLease, done: &str) -> Result<bool, Error> {
    let (dialect, run) = (db.dialect(), lease.run);
    let sql = format!(
        "SELECT s.message FROM {} s JOIN {} c ON c.id = s.run_id WHERE s.run_id = {} AND s.state = 'SKIPPED' \
         AND (c.kind = 'RESTORE' OR s.code IN {REFUSED}) ORDER BY s.position LIMIT 1",
        db.own_table("cleanup_run_sessions"),
        db.own_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    claimed(db, lease, async |transaction| {
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

/// `status` is SQL over the run's row; the error stays only where that fails.
async fn finish(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    status: &str,
    error: Option<&str>,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let waiting = format!(
        "SELECT 1 FROM {} WHERE run_id = {} AND state IN ('QUEUED', 'DEFERRED')",
        db.own_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1)
    );
    let sql = format!(
        "UPDATE {} SET status = {status}, finished_at = $2, leased_by = NULL, leased_until = NULL, \
         error = CASE WHEN {status} = 'FAILED' THEN CAST($3 AS text) END WHERE id = {} AND NOT EXISTS ({waiting})",
        db.own_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let values: [Value; 3] =
        [run.to_string().into(), dialect.time(db.settings().clock.now()), error.map(str::to_owned).into()];
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
        db.own_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let sessions = i64::try_from(sessions).unwrap_or(i64::MAX);
    transaction.execute_raw(dialect.statement(sql, [run.to_string().into(), sessions.into()])).await?;
    Ok(())
}

/// Does something to a run in a transaction, if it is this worker's; that renews the lease.
async fn claimed(
    db: &Database,
    lease: &RunLease,
    change: impl AsyncFnOnce(&DatabaseTransaction) -> Result<(), Error>,
) -> Result<bool, Error> {
    let Writing { transaction, turn: _turn } = db.writing(true).await?;
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
