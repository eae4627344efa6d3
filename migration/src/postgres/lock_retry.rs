//! Retries of statements that require a lock on a table in use.
//!
//! While a statement waits for its lock, all later statements on the table wait behind it. An attempt therefore times
//! out early, so that the others can proceed, and is repeated after a pause.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, TransactionTrait};
use sea_orm_migration::SchemaManagerConnection;

use super::catalog::Table;
use crate::{
    error::{Error, is_lock_conflict},
    query::fetch_rows,
};

/// The lock timeout of one attempt, in PostgreSQL's notation.
const LOCK_TIMEOUT: &str = "3s";
const MAX_TRIES: u32 = 5;
/// The pause after the first attempt. It grows by this amount with each further attempt.
const PAUSE: Duration = Duration::from_millis(500);

/// Executes a statement in a transaction, and retries it while other sessions hold locks on the tables.
///
/// # Errors
///
/// Returns [`Error::LockTimeout`] after the last attempt.
pub(super) async fn execute_with_retry(
    db: &SchemaManagerConnection<'_>,
    tables: &[&Table],
    sql: &str,
) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        match execute_in_transaction(db, sql).await {
            Ok(()) => return Ok(()),
            Err(error) if is_lock_conflict(&error) => {
                tries += 1;
                pause_before_retry(db, tables, tries).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits before the next attempt, given the number of attempts that ended in a lock conflict.
///
/// # Errors
///
/// Returns [`Error::LockTimeout`] after the last attempt.
pub(super) async fn pause_before_retry(
    db: &SchemaManagerConnection<'_>,
    tables: &[&Table],
    tries: u32,
) -> Result<(), Error> {
    if tries < MAX_TRIES {
        let table = tables.first().map(|table| table.name.as_str());
        tracing::info!(target: "session_admin::migration", tried = tries, table, "locked by others; trying again");
        tokio::time::sleep(PAUSE * tries).await;
        return Ok(());
    }
    Err(lock_timeout_error(db, tables).await)
}

async fn execute_in_transaction(db: &SchemaManagerConnection<'_>, sql: &str) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    let result = async {
        transaction.execute_unprepared(&format!("SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")).await?;
        transaction.execute_unprepared(sql).await
    }
    .await;
    match result {
        Ok(_) => transaction.commit().await,
        Err(error) => {
            transaction.rollback().await?;
            Err(error)
        }
    }
}

/// Returns the error for a lock timeout on one of the tables.
///
/// It names the first table on which other sessions hold a lock now, and their processes. If there is no such lock, it
/// names all tables.
pub(super) async fn lock_timeout_error(db: &SchemaManagerConnection<'_>, tables: &[&Table]) -> Error {
    let sql = "SELECT DISTINCT lock.pid FROM pg_catalog.pg_locks lock \
               WHERE lock.relation = $1::bigint::oid AND lock.granted AND lock.pid <> pg_catalog.pg_backend_pid() \
                 AND lock.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
               ORDER BY lock.pid";
    for table in tables {
        // The error is useful even if this query fails.
        let rows = fetch_rows(db, sql, [table.oid.into()]).await.unwrap_or_default();
        let pids: Vec<i32> = rows.iter().filter_map(|row| row.try_get("", "pid").ok()).collect();
        if !pids.is_empty() {
            return Error::LockTimeout { table: table.name.clone(), pids };
        }
    }
    let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
    Error::LockTimeout { table: names.join(" or "), pids: Vec::new() }
}

/// Returns the first of the tables that is locked against reading, and the processes that hold the lock.
pub(crate) async fn find_exclusive_lock(
    db: &DatabaseConnection,
    schema: &str,
    tables: &[&str],
) -> Result<Option<(String, Vec<i32>)>, DbErr> {
    let sql = "SELECT relation.relname::text AS name, lock.pid FROM pg_catalog.pg_locks lock \
               JOIN pg_catalog.pg_class relation ON relation.oid = lock.relation \
               JOIN pg_catalog.pg_namespace schema ON schema.oid = relation.relnamespace \
               WHERE lock.granted AND lock.mode = 'AccessExclusiveLock' AND schema.nspname = $1 \
                 AND lock.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
               ORDER BY relation.relname, lock.pid";
    let mut first_locked: Option<(String, Vec<i32>)> = None;
    for row in fetch_rows(db, sql, [schema.into()]).await? {
        let (name, pid): (String, Option<i32>) = (row.try_get("", "name")?, row.try_get("", "pid")?);
        if !tables.contains(&name.as_str()) {
            continue;
        }
        let (table, pids) = first_locked.get_or_insert_with(|| (name.clone(), Vec::new()));
        if *table == name {
            pids.extend(pid);
        }
    }
    Ok(first_locked)
}
