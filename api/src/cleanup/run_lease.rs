//! Whose turn a run is. A lease is a worker's for a while after its last sign of life; when it has run out, another
//! worker goes on.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, Value};
use uuid::Uuid;

use super::run_claim::RunLease;
use crate::db::{Database, Dialect, Writing};
use crate::error::Error;

/// Takes a run that is to be worked on and that nobody holds; from now on it is under way. None where that is not so.
pub(super) async fn take(db: &Database, run: Uuid) -> Result<Option<RunLease>, Error> {
    let lease = RunLease { run, name: format!("process {} {}", std::process::id(), Uuid::new_v4()) };
    let set = "leased_by = $2, leased_until = $3, attempts = attempts + 1, status = 'RUNNING', \
               started_at = coalesce(started_at, $4)";
    let free = "status IN ('QUEUED', 'RUNNING') AND (leased_until IS NULL OR leased_until <= $4)";
    let values = |now| {
        [run.to_string().into(), lease.name.clone().into(), db.dialect().time(lasts(db, now)), db.dialect().time(now)]
    };
    match change(db, set, free, values).await {
        Ok(taken) => Ok(taken.then_some(lease)),
        // SQLite's lock is the whole database's: somebody's batch is under way.
        Err(Error::LockTimeout(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Does something else while the lease is kept: a plan may take longer than a lease.
pub(super) async fn keeping<T>(db: &Database, lease: &RunLease, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = renewed_later(db, lease) => {}
        }
    }
}

async fn renewed_later(db: &Database, lease: &RunLease) {
    tokio::time::sleep(db.settings().run_lease / 3).await;
    let (db, lease) = (db.clone(), lease.clone());
    // In a task of its own: the work may be done while a transaction begins, which must not be left in the middle.
    let renewed = tokio::spawn(async move {
        let values = |now| [lease.run.to_string().into(), lease.name.into(), db.dialect().time(lasts(&db, now))];
        change(&db, "leased_until = $3", "leased_by = $2", values).await
    });
    // Where it cannot be renewed the batch finds that out, and nothing is lost.
    if let Ok(Err(error)) = renewed.await {
        tracing::debug!(error = &error as &dyn std::error::Error, "the lease of a cleanup run was not renewed");
    }
}

/// Leaves the run to others. Nothing was wrong with it, so this was no attempt.
pub(super) async fn give_back(db: &Database, lease: &RunLease) -> Result<(), Error> {
    let set = "leased_by = NULL, leased_until = NULL, attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END";
    let values = |_| [lease.run.to_string().into(), lease.name.clone().into()];
    change(db, set, "leased_by = $2", values).await.map(|_| ())
}

/// Leaves the run to whoever tries it again, from that moment on.
pub(super) async fn rest(db: &Database, lease: &RunLease, until: DateTime<Utc>) -> Result<(), Error> {
    let values = |_| [lease.run.to_string().into(), lease.name.clone().into(), db.dialect().time(until)];
    change(db, "leased_by = NULL, leased_until = $3", "leased_by = $2", values).await.map(|_| ())
}

/// Until when a lease lasts that is taken or renewed now.
fn lasts(db: &Database, now: DateTime<Utc>) -> DateTime<Utc> {
    now + db.settings().run_lease
}

/// Changes the run `$1` if a condition holds; on PostgreSQL nobody waits for a batch that is under way. The values are made
/// when the wait is over, of the moment that it is then. Says whether anything changed.
async fn change<const N: usize>(
    db: &Database,
    set: &str,
    condition: &str,
    values: impl FnOnce(DateTime<Utc>) -> [Value; N],
) -> Result<bool, Error> {
    let dialect = db.dialect();
    let (table, id) = (db.own_table("cleanup_runs"), dialect.uuid_parameter(1));
    let lock = match dialect {
        Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    };
    let sql =
        format!("UPDATE {table} SET {set} WHERE id IN (SELECT id FROM {table} WHERE id = {id} AND {condition}{lock})");
    let Writing { transaction, turn: _turn } = db.writing(true).await?;
    let values = values(db.settings().clock.now());
    let changed = transaction.execute_raw(dialect.statement(sql, values)).await?.rows_affected();
    transaction.commit().await?;
    Ok(changed > 0)
}
