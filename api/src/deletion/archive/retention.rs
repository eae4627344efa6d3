//! Erasing archives that have expired or have been restored, in short transactions.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use super::erasure::{require_overwriting, truncate_log};
use super::erasure_hook::ErasureHook;
use crate::db::{Database, Dialect, WriteTransaction};
use crate::error::Error;

/// The rows that one transaction erases.
const ROWS_PER_TRANSACTION: u64 = 10_000;
/// The pause between two transactions, in which other writers get the write lock.
const PAUSE: Duration = Duration::from_millis(20);
/// The delay before the first time, so that a server's start is not slowed down.
const START_DELAY: Duration = Duration::from_secs(5);
/// The time between two times.
const INTERVAL: Duration = Duration::from_hours(1);

/// How many archives were erased.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExpiryCounts {
    /// Deletions that can no longer be restored from now on.
    pub deletions: u64,
    /// Deletions whose archive is now empty, restored ones among them.
    pub archives: u64,
    /// Archived rows that were erased.
    pub rows: u64,
}

/// Marks the deletions that have expired, and erases their archives and those of restored deletions.
///
/// The function may be interrupted at any time, and several processes may execute it concurrently. A deletion is marked
/// before its first row is erased, and its entries in `archived_tables` are erased last, so the next call detects that
/// rows may remain.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`], [`Error::LockTimeout`], [`Error::MissingGrant`].
pub async fn expire(db: &Database, hook: &impl ErasureHook) -> Result<ExpiryCounts, Error> {
    let deletions = in_transaction(db, async |transaction, db| mark_expired(transaction, db, hook).await).await?;
    let mut expired = ExpiryCounts { deletions, ..ExpiryCounts::default() };
    while let Some((rows, is_emptied)) = in_transaction(db, erase_some).await? {
        expired.rows += rows;
        expired.archives += u64::from(is_emptied);
        tokio::time::sleep(PAUSE).await;
    }
    truncate_log(db).await;
    Ok(expired)
}

/// Calls [`expire`] soon, and then every hour, until the future is dropped.
pub async fn expire_hourly(db: Database, hook: impl ErasureHook) {
    tokio::time::sleep(START_DELAY).await;
    loop {
        match expire(&db, &hook).await {
            Ok(expired) if expired == ExpiryCounts::default() => {}
            // The demonstration begins without the internal tables.
            Err(Error::MissingTable(_)) => {}
            Ok(ExpiryCounts { deletions, archives, rows }) => {
                tracing::info!(target: "session_admin::deletion", expired = deletions, erased = archives, rows, "archives have been erased");
            }
            Err(error) => {
                let detail = error.database_message();
                tracing::warn!(target: "session_admin::deletion", %error, detail, "archives could not be expired; the next attempt is in an hour");
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn in_transaction<T>(
    db: &Database,
    step: impl AsyncFnOnce(&DatabaseTransaction, &Database) -> Result<T, Error>,
) -> Result<T, Error> {
    let WriteTransaction { transaction, writer_guard: _writer_guard } = db.begin_write(true).await?;
    match step(&transaction, db).await {
        Ok(result) => {
            transaction.commit().await?;
            Ok(result)
        }
        Err(error) => {
            // The first error is the one to report.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

/// Marks expired deletions, and returns their number. One that another transaction restores or erases is left for the
/// next time.
async fn mark_expired(transaction: &DatabaseTransaction, db: &Database, hook: &impl ErasureHook) -> Result<u64, Error> {
    let dialect = db.dialect();
    let sql = format!(
        "UPDATE {0} SET status = 'EXPIRED' WHERE id IN (SELECT deletion.id FROM {0} deletion \
         WHERE deletion.status = 'RESTORABLE' AND deletion.restorable_until <= $1{1})",
        db.internal_table("deletions"),
        skip_locked(dialect)
    );
    let now = dialect.timestamp_param(db.settings().clock.now());
    let marked = transaction.execute_raw(dialect.statement(sql, [now])).await?.rows_affected();
    hook.erase_deferred(transaction, db).await?;
    Ok(marked)
}

/// Erases up to [`ROWS_PER_TRANSACTION`] rows of one deletion that cannot be restored. Returns their number and whether
/// this emptied the archive, or none if no such deletion has an archive.
async fn erase_some(transaction: &DatabaseTransaction, db: &Database) -> Result<Option<(u64, bool)>, Error> {
    let dialect = db.dialect();
    let (entries, rows) = (db.internal_table("archived_tables"), db.internal_table("archived_rows"));
    let next = format!(
        "SELECT CAST(deletion.id AS text) AS id FROM {} deletion WHERE deletion.status <> 'RESTORABLE' \
         AND EXISTS (SELECT 1 FROM {entries} entry WHERE entry.deletion_id = deletion.id) LIMIT 1{}",
        db.internal_table("deletions"),
        skip_locked(dialect)
    );
    let Some(found) = transaction.query_one_raw(dialect.statement(next, [])).await? else { return Ok(None) };
    let id: String = found.try_get("", "id")?;
    require_overwriting(transaction, db).await?;
    let deletion_id = dialect.uuid_parameter(1);
    let selected = format!(
        "FROM {rows} archived JOIN {entries} entry ON entry.id = archived.table_id \
         WHERE entry.deletion_id = {deletion_id} LIMIT {ROWS_PER_TRANSACTION}"
    );
    let erase = match dialect {
        Dialect::Postgres => {
            format!("DELETE FROM {rows} WHERE ctid = ANY (ARRAY(SELECT archived.ctid {selected}))")
        }
        Dialect::Sqlite => format!("DELETE FROM {rows} WHERE rowid IN (SELECT archived.rowid {selected})"),
    };
    let execute = async |sql: String| -> Result<u64, DbErr> {
        Ok(transaction.execute_raw(dialect.statement(sql, [id.as_str().into()])).await?.rows_affected())
    };
    let erased = execute(erase).await?;
    let mut is_emptied = false;
    if erased < ROWS_PER_TRANSACTION {
        // Another server may have emptied the archive between the query's snapshot and its lock.
        is_emptied = execute(format!("DELETE FROM {entries} WHERE deletion_id = {deletion_id}")).await? > 0;
    }
    Ok(Some((erased, is_emptied)))
}

/// Skips rows that others have locked. SQLite has one writer at a time.
const fn skip_locked(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    }
}
