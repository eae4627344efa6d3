//! Steps that need a lock on a table which the host is using.
//!
//! A step that waits for its lock makes everybody else wait behind it, so it gives up soon, lets them through, and tries
//! again.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, TransactionTrait};
use sea_orm_migration::SchemaManagerConnection;

use super::catalog::Table;
use crate::{Error, dialect::rows, error::is_lock_conflict};

/// How long one try waits for its locks, as PostgreSQL writes it.
const LOCK_TIMEOUT: &str = "3s";
/// How often a step is tried.
pub(super) const TRIES: u32 = 5;
/// The pause after the first try; it grows by as much with each.
const PAUSE: Duration = Duration::from_millis(500);

/// Runs the statements in one transaction, again and again while other sessions hold locks on the tables.
pub(super) async fn patiently(
    db: &SchemaManagerConnection<'_>,
    tables: &[&Table],
    statements: &[String],
) -> Result<(), Error> {
    let mut tried = 0;
    loop {
        match once(db, statements).await {
            Ok(()) => return Ok(()),
            Err(error) if is_lock_conflict(&error) => {
                tried += 1;
                wait_or_give_up(db, tables, tried).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// After a try that ended in a lock conflict: waits a little, or fails when it was the last.
pub(super) async fn wait_or_give_up(
    db: &SchemaManagerConnection<'_>,
    tables: &[&Table],
    tried: u32,
) -> Result<(), Error> {
    if tried < TRIES {
        tracing::info!(tried, table = tables.first().map(|t| t.name.as_str()), "locked by others; trying again");
        tokio::time::sleep(PAUSE * tried).await;
        return Ok(());
    }
    Err(locked(db, tables).await)
}

async fn once(db: &SchemaManagerConnection<'_>, statements: &[String]) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    let done = async {
        transaction.execute_unprepared(&format!("SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")).await?;
        for statement in statements {
            transaction.execute_unprepared(statement).await?;
        }
        Ok(())
    }
    .await;
    match done {
        Ok(()) => transaction.commit().await,
        Err(error) => {
            transaction.rollback().await?;
            Err(error)
        }
    }
}

/// The error that names the table on which others hold locks now, and them.
pub(super) async fn locked(db: &SchemaManagerConnection<'_>, tables: &[&Table]) -> Error {
    let sql = "SELECT DISTINCT l.pid FROM pg_catalog.pg_locks l \
               WHERE l.relation = $1::bigint::oid AND l.granted AND l.pid <> pg_catalog.pg_backend_pid() \
                 AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
               ORDER BY l.pid";
    for table in tables {
        // Only a help; the error says enough without.
        let found = rows(db, sql, [table.oid.into()]).await.unwrap_or_default();
        let pids: Vec<i32> = found.iter().filter_map(|row| row.try_get("", "pid").ok()).collect();
        if !pids.is_empty() {
            return Error::LockTimeout { table: table.name.clone(), pids };
        }
    }
    let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
    Error::LockTimeout { table: names.join(" or "), pids: Vec::new() }
}

/// Which of these tables nobody can read now, and who keeps it locked.
pub(crate) async fn unreadable(
    db: &DatabaseConnection,
    schema: &str,
    tables: &[&str],
) -> Result<Option<(String, Vec<i32>)>, DbErr> {
    let sql = "SELECT c.relname::text AS name, l.pid FROM pg_catalog.pg_locks l \
               JOIN pg_catalog.pg_class c ON c.oid = l.relation JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND n.nspname = $1 \
                 AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) \
               ORDER BY c.relname, l.pid";
    let mut found: Option<(String, Vec<i32>)> = None;
    for row in rows(db, sql, [schema.into()]).await? {
        let (name, pid): (String, Option<i32>) = (row.try_get("", "name")?, row.try_get("", "pid")?);
        if !tables.contains(&name.as_str()) {
            continue;
        }
        let (first, pids) = found.get_or_insert_with(|| (name.clone(), Vec::new()));
        if *first == name {
            pids.extend(pid);
        }
    }
    Ok(found)
}
