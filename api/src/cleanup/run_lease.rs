//! Time-limited ownership of a run by one worker. The worker renews its lease while it works; once the lease has ended,
//! another worker may take the run.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Value};
use uuid::Uuid;

use super::run_claim::RunLease;
use crate::db::{Database, Dialect, WriteTransaction};
use crate::error::Error;

/// Acquires the lease of a run, and marks the run as running. Returns `None` if the run has finished or is paused, or
/// if another worker holds the lease.
pub(super) async fn take(db: &Database, run: Uuid) -> Result<Option<RunLease>, Error> {
    let lease = RunLease { run, name: format!("process {} {}", std::process::id(), Uuid::new_v4()) };
    let set = "leased_by = $2, leased_until = $3, attempts = attempts + 1, status = 'RUNNING', \
               started_at = coalesce(started_at, $4)";
    let is_free = "status IN ('QUEUED', 'RUNNING') AND (leased_until IS NULL OR leased_until <= $4)";
    let values = |now| {
        [
            run.to_string().into(),
            lease.name.clone().into(),
            db.dialect().timestamp_param(end(db, now)),
            db.dialect().timestamp_param(now),
        ]
    };
    match update(db, set, is_free, values).await {
        Ok(taken) => Ok(taken.then_some(lease)),
        // SQLite locks the whole database, so another batch is in progress.
        Err(Error::LockTimeout(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Awaits work that may take longer than the lease, and renews the lease in the meantime.
pub(super) async fn with_lease<T>(db: &Database, lease: &RunLease, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = renew_later(db, lease) => {}
        }
    }
}

async fn renew_later(db: &Database, lease: &RunLease) {
    tokio::time::sleep(db.settings().run_lease / 3).await;
    let (db, lease) = (db.clone(), lease.clone());
    // In a separate task, because the work may end while the transaction begins, which must not be dropped midway.
    let renewed = tokio::spawn(async move {
        let values =
            |now| [lease.run.to_string().into(), lease.name.into(), db.dialect().timestamp_param(end(&db, now))];
        update(&db, "leased_until = $3", "leased_by = $2", values).await
    });
    // If the lease cannot be renewed, the batch detects that when it claims the run.
    if let Ok(Err(error)) = renewed.await {
        tracing::debug!(target: "session_admin::cleanup", error = &error as &dyn std::error::Error, "the lease of a cleanup run was not renewed");
    }
}

/// Releases the lease. No error occurred, so the lease does not count as an attempt.
pub(super) async fn release(db: &Database, lease: &RunLease) -> Result<(), Error> {
    let set = "leased_by = NULL, leased_until = NULL, attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END";
    let values = |_| [lease.run.to_string().into(), lease.name.clone().into()];
    update(db, set, "leased_by = $2", values).await.map(|_| ())
}

/// Releases the lease, and pauses the run until the given time.
pub(super) async fn back_off(db: &Database, lease: &RunLease, until: DateTime<Utc>) -> Result<(), Error> {
    let values = |_| [lease.run.to_string().into(), lease.name.clone().into(), db.dialect().timestamp_param(until)];
    update(db, "leased_by = NULL, leased_until = $3", "leased_by = $2", values).await.map(|_| ())
}

/// Returns the end of a lease that is acquired or renewed now.
fn end(db: &Database, now: DateTime<Utc>) -> DateTime<Utc> {
    now + db.settings().run_lease
}

/// Updates the run `$1` if a condition holds, and returns whether it did. On PostgreSQL a run whose batch is under way
/// is skipped. The values are made of the time at which the write transaction has begun.
async fn update<const N: usize>(
    db: &Database,
    set: &str,
    condition: &str,
    values: impl FnOnce(DateTime<Utc>) -> [Value; N],
) -> Result<bool, Error> {
    let dialect = db.dialect();
    let (table, id) = (db.internal_table("cleanup_runs"), dialect.uuid_parameter(1));
    let lock = match dialect {
        Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    };
    let sql =
        format!("UPDATE {table} SET {set} WHERE id IN (SELECT id FROM {table} WHERE id = {id} AND {condition}{lock})");
    let WriteTransaction { transaction, writer_guard: _writer_guard } = db.begin_write(true).await?;
    let values = values(db.settings().clock.now());
    let changed = transaction.execute_raw(dialect.statement(sql, values)).await?.rows_affected();
    transaction.commit().await?;
    Ok(changed > 0)
}
