//! A deletion that is a batch of a cleanup run: the run's progress is committed with it, or not at all.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use super::Deletion;
use crate::db::{Database, Dialect};
use crate::error::Error;
use crate::impact::ids_parameter;

/// A run that nobody else works on until the transaction ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// The rows that the run may still delete; none where there is no limit.
    pub rows_left: Option<i64>,
}

/// Claims a run that is under way. None where another process works on it just now, or it is no longer under way.
pub(crate) async fn claim(transaction: &DatabaseTransaction, db: &Database, run: Uuid) -> Result<Option<Claim>, Error> {
    let dialect = db.dialect();
    // SQLite has one writer at a time anyway. A batch may take long, so nobody waits for the row.
    let lock = match dialect {
        Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    };
    let sql = format!(
        "SELECT at_most - rows_deleted AS rows_left FROM {} WHERE id = {} AND status = 'RUNNING'{lock}",
        db.own_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let row = transaction.query_one_raw(dialect.statement(sql, [run.to_string().into()])).await?;
    Ok(row.map(|row| row.try_get("", "rows_left")).transpose()?.map(|rows_left| Claim { rows_left }))
}

/// Whether all these sessions of a claimed run are still to go: whoever had the run before may have taken them.
pub(super) async fn still_to_go(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    ids: &[Uuid],
) -> Result<bool, Error> {
    let dialect = db.dialect();
    let sql = format!(
        "SELECT count(*) AS n FROM {} WHERE run_id = {} AND state IN ('QUEUED', 'DEFERRED') \
         AND session_id IN (SELECT value FROM {} listed)",
        db.own_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1),
        dialect.elements("$2")
    );
    let values = [run.to_string().into(), ids_parameter(ids).into()];
    let row = transaction.query_one_raw(dialect.statement(sql, values)).await?;
    let waiting: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
    Ok(usize::try_from(waiting).is_ok_and(|waiting| waiting == ids.len()))
}

/// Writes down what a batch did.
pub(super) async fn note(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    deletion: &Deletion,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let ids: Vec<Uuid> = deletion.sessions.iter().map(|session| session.id).collect();
    let sessions = format!(
        "UPDATE {} SET state = 'DELETED', code = NULL, message = NULL WHERE run_id = {} \
         AND session_id IN (SELECT value FROM {} listed)",
        db.own_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1),
        dialect.elements("$2")
    );
    let values = [run.to_string().into(), ids_parameter(&ids).into()];
    transaction.execute_raw(dialect.statement(sessions, values)).await?;
    let totals = format!(
        "UPDATE {} SET sessions_deleted = sessions_deleted + $2, rows_deleted = rows_deleted + $3, \
         rows_unlinked = rows_unlinked + $4 WHERE id = {}",
        db.own_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let values = [
        run.to_string().into(),
        i64::try_from(ids.len()).unwrap_or(i64::MAX).into(),
        deletion.rows_deleted.into(),
        deletion.rows_unlinked.into(),
    ];
    transaction.execute_raw(dialect.statement(totals, values)).await?;
    Ok(())
}
