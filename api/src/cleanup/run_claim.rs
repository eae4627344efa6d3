//! A batch of a cleanup run: the run's progress is committed with the batch, or not at all.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::db::{Database, Dialect, distinct, ids_parameter};
use crate::deletion::Deletion;
use crate::deletion::commit_hook::{CommitHook, RowBudget};
use crate::error::Error;

/// A worker's lease on a run: nobody else works on the run until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunLease {
    /// The run's id.
    pub run: Uuid,
    /// The name of the lease, which no other lease has.
    pub name: String,
}

/// A batch that deletes sessions of a run.
pub(super) struct DeleteBatch<'a> {
    pub db: &'a Database,
    pub lease: &'a RunLease,
    pub session_ids: &'a [Uuid],
}

/// A batch that restores a deletion of another run.
pub(super) struct RestoreBatch<'a> {
    pub db: &'a Database,
    pub lease: &'a RunLease,
}

#[async_trait]
impl CommitHook for DeleteBatch<'_> {
    fn run_id(&self) -> Uuid {
        self.lease.run
    }

    async fn begin(&self, transaction: &DatabaseTransaction) -> Result<Option<RowBudget>, Error> {
        let Some(budget) = claim(transaction, self.db, self.lease).await? else { return Ok(None) };
        let pending = all_pending(transaction, self.db, self.lease.run, &distinct(self.session_ids)).await?;
        Ok(pending.then_some(budget))
    }

    async fn commit(&self, transaction: &DatabaseTransaction, deletion: &Deletion, _: i64) -> Result<(), Error> {
        record_deleted(transaction, self.db, self.lease, deletion).await
    }
}

#[async_trait]
impl CommitHook for RestoreBatch<'_> {
    fn run_id(&self) -> Uuid {
        self.lease.run
    }

    async fn begin(&self, transaction: &DatabaseTransaction) -> Result<Option<RowBudget>, Error> {
        claim(transaction, self.db, self.lease).await
    }

    async fn commit(
        &self,
        transaction: &DatabaseTransaction,
        deletion: &Deletion,
        rows_restored: i64,
    ) -> Result<(), Error> {
        record_restored(transaction, self.db, self.lease, deletion, rows_restored).await
    }
}

/// Claims a run that is under way, until the transaction ends. Returns the rows that it may still delete, or None where
/// the lease is another worker's by now or the run is no longer under way.
pub(super) async fn claim(
    transaction: &DatabaseTransaction,
    db: &Database,
    lease: &RunLease,
) -> Result<Option<RowBudget>, Error> {
    let dialect = db.dialect();
    // SQLite has one writer at a time. On PostgreSQL nobody can take the lease until the batch ends.
    let lock = match dialect {
        Dialect::Postgres => " FOR UPDATE",
        Dialect::Sqlite => "",
    };
    let sql = format!(
        "SELECT at_most - rows_deleted AS rows_left FROM {} WHERE id = {} AND status = 'RUNNING' \
         AND leased_by = $2{lock}",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let values = [lease.run.to_string().into(), lease.name.clone().into()];
    let row = transaction.query_one_raw(dialect.statement(sql, values)).await?;
    Ok(row.map(|row| row.try_get("", "rows_left")).transpose()?.map(RowBudget))
}

/// Renews the lease of a claimed run and resets its count of attempts, since it has made progress. It belongs at the
/// end of a transaction, because the transaction may have used up most of the lease.
pub(super) async fn renew(transaction: &DatabaseTransaction, db: &Database, lease: &RunLease) -> Result<(), Error> {
    let dialect = db.dialect();
    let sql = format!(
        "UPDATE {} SET leased_until = $2, attempts = 0 WHERE id = {} AND leased_by = $3",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let until = db.settings().clock.now() + db.settings().run_lease;
    let values = [lease.run.to_string().into(), dialect.timestamp_param(until), lease.name.clone().into()];
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}

/// Whether all these sessions of a claimed run are still pending: the worker that had the run before may have deleted
/// some.
async fn all_pending(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    session_ids: &[Uuid],
) -> Result<bool, Error> {
    let dialect = db.dialect();
    let sql = format!(
        "SELECT count(*) AS pending FROM {} WHERE run_id = {} AND state IN ('QUEUED', 'DEFERRED') \
         AND session_id IN (SELECT value FROM {} listed)",
        db.internal_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1),
        dialect.json_elements("$2")
    );
    let values = [run.to_string().into(), ids_parameter(session_ids).into()];
    let row = transaction.query_one_raw(dialect.statement(sql, values)).await?;
    let pending: i64 = row.map(|row| row.try_get("", "pending")).transpose()?.unwrap_or_default();
    Ok(usize::try_from(pending).is_ok_and(|pending| pending == session_ids.len()))
}

/// Records what a batch deleted.
async fn record_deleted(
    transaction: &DatabaseTransaction,
    db: &Database,
    lease: &RunLease,
    deletion: &Deletion,
) -> Result<(), Error> {
    let (dialect, run) = (db.dialect(), lease.run);
    let ids: Vec<Uuid> = deletion.sessions.iter().map(|session| session.id).collect();
    let sessions = format!(
        "UPDATE {} SET state = 'DELETED', code = NULL, message = NULL, deletion_id = {} WHERE run_id = {} \
         AND session_id IN (SELECT value FROM {} listed)",
        db.internal_table("cleanup_run_sessions"),
        dialect.uuid_parameter(3),
        dialect.uuid_parameter(1),
        dialect.json_elements("$2")
    );
    let values = [run.to_string().into(), ids_parameter(&ids).into(), deletion.id.to_string().into()];
    transaction.execute_raw(dialect.statement(sessions, values)).await?;
    let totals = format!(
        "UPDATE {} SET sessions_deleted = sessions_deleted + $2, rows_deleted = rows_deleted + $3, \
         rows_unlinked = rows_unlinked + $4 WHERE id = {}",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let values = [
        run.to_string().into(),
        i64::try_from(ids.len()).unwrap_or(i64::MAX).into(),
        deletion.rows_deleted.into(),
        deletion.rows_unlinked.into(),
    ];
    transaction.execute_raw(dialect.statement(totals, values)).await?;
    renew(transaction, db, lease).await
}

/// Records that a batch restored a deletion.
async fn record_restored(
    transaction: &DatabaseTransaction,
    db: &Database,
    lease: &RunLease,
    deletion: &Deletion,
    rows: i64,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let sessions = format!(
        "UPDATE {} SET state = 'RESTORED' WHERE run_id = {} AND deletion_id = {} AND state = 'QUEUED'",
        db.internal_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1),
        dialect.uuid_parameter(2)
    );
    let values = [lease.run.to_string().into(), deletion.id.to_string().into()];
    let restored = transaction.execute_raw(dialect.statement(sessions, values)).await?.rows_affected();
    let totals = format!(
        "UPDATE {} SET sessions_restored = sessions_restored + $2, rows_restored = rows_restored + $3 WHERE id = {}",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let values = [lease.run.to_string().into(), i64::try_from(restored).unwrap_or(i64::MAX).into(), rows.into()];
    transaction.execute_raw(dialect.statement(totals, values)).await?;
    renew(transaction, db, lease).await
}
