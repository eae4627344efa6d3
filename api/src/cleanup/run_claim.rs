//! A deletion that is a batch of a cleanup run: the run's progress is committed with it, or not at all.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::db::{Database, Dialect, ids_parameter};
use crate::deletion::Deletion;
use crate::error::Error;

/// A run that a worker holds: nobody else works on it until the lease has run out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// The run.
    pub run: Uuid,
    /// The worker's name, which no other lease has.
    pub by: String,
}

/// A run that nobody else works on until the transaction ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    /// The rows that the run may still delete; none where there is no limit.
    pub rows_left: Option<i64>,
}

/// Claims a run that is under way. None where the lease is another worker's by now, or the run no longer under way.
pub(crate) async fn claim(
    transaction: &DatabaseTransaction,
    db: &Database,
    held: &Held,
) -> Result<Option<Claim>, Error> {
    let dialect = db.dialect();
    // SQLite has one writer at a time anyway. Until the batch ends, nobody can take the run.
    let lock = match dialect {
        Dialect::Postgres => " FOR UPDATE",
        Dialect::Sqlite => "",
    };
    let sql = format!(
        "SELECT at_most - rows_deleted AS rows_left FROM {} WHERE id = {} AND status = 'RUNNING' \
         AND leased_by = $2{lock}",
        db.own_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let values = [held.run.to_string().into(), held.by.clone().into()];
    let row = transaction.query_one_raw(dialect.statement(sql, values)).await?;
    Ok(row.map(|row| row.try_get("", "rows_left")).transpose()?.map(|rows_left| Claim { rows_left }))
}

/// Renews the lease of a claimed run that has come further. Said at the end of a transaction, which may have taken long.
pub(crate) async fn renew(transaction: &DatabaseTransaction, db: &Database, held: &Held) -> Result<(), Error> {
    let dialect = db.dialect();
    let sql = format!(
        "UPDATE {} SET leased_until = $2, attempts = 0 WHERE id = {} AND leased_by = $3",
        db.own_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let until = db.settings().clock.now() + db.settings().run_lease;
    let values = [held.run.to_string().into(), dialect.time(until), held.by.clone().into()];
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}

/// Whether all these sessions of a claimed run are still to go: whoever had the run before may have taken them.
pub(crate) async fn still_to_go(
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
pub(crate) async fn note(
    transaction: &DatabaseTransaction,
    db: &Database,
    held: &Held,
    deletion: &Deletion,
) -> Result<(), Error> {
    let (dialect, run) = (db.dialect(), held.run);
    let ids: Vec<Uuid> = deletion.sessions.iter().map(|session| session.id).collect();
    let sessions = format!(
        "UPDATE {} SET state = 'DELETED', code = NULL, message = NULL, deletion_id = {} WHERE run_id = {} \
         AND session_id IN (SELECT value FROM {} listed)",
        db.own_table("cleanup_run_sessions"),
        dialect.uuid_parameter(3),
        dialect.uuid_parameter(1),
        dialect.elements("$2")
    );
    let values = [run.to_string().into(), ids_parameter(&ids).into(), deletion.id.to_string().into()];
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
    renew(transaction, db, held).await
}

/// Writes down that a deletion was restored.
pub(crate) async fn note_restored(
    transaction: &DatabaseTransaction,
    db: &Database,
    held: &Held,
    deletion: &Deletion,
    rows: i64,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let sessions = format!(
        "UPDATE {} SET state = 'RESTORED' WHERE run_id = {} AND deletion_id = {} AND state = 'QUEUED'",
        db.own_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1),
        dialect.uuid_parameter(2)
    );
    let values = [held.run.to_string().into(), deletion.id.to_string().into()];
    let changed = transaction.execute_raw(dialect.statement(sessions, values)).await?.rows_affected();
    let totals = format!(
        "UPDATE {} SET sessions_restored = sessions_restored + $2, rows_restored = rows_restored + $3 WHERE id = {}",
        db.own_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let values = [held.run.to_string().into(), i64::try_from(changed).unwrap_or(i64::MAX).into(), rows.into()];
    transaction.execute_raw(dialect.statement(totals, values)).await?;
    renew(transaction, db, held).await
}
