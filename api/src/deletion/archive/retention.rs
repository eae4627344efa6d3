//! Archives whose time is over, and those that have been restored: their rows go in short transactions.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use super::erasure::{blank_runs, overwrites, truncate_log};
use crate::db::{Database, Dialect, Writing};
use crate::error::Error;

/// How many rows one transaction erases.
const AT_ONCE: u64 = 10_000;
/// Between two of them others who write get their turn.
const PAUSE: Duration = Duration::from_millis(20);
/// After a server has started it has better things to do.
const FIRST: Duration = Duration::from_secs(5);
/// How often a server looks.
const EVERY: Duration = Duration::from_hours(1);

/// What became of the archives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Deletions that can no longer be restored from now on.
    pub deletions: u64,
    /// Deletions of which nothing is kept any more, restored ones among them.
    pub archives: u64,
    /// Kept rows that were erased.
    pub rows: u64,
}

/// Marks the deletions whose time is over and erases what they kept, and what restored ones kept. It may be stopped at any
/// moment, and several processes may do it at once: a deletion is marked before its first row is erased, and by its
/// entries in `archived_tables`, which go last, the next one knows that rows may be left.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`], [`Error::LockTimeout`], [`Error::MissingGrant`].
pub async fn expire(db: &Database) -> Result<Expired, Error> {
    let mut expired = Expired { deletions: in_transaction(db, mark).await?, ..Expired::default() };
    while let Some(rows) = in_transaction(db, erase_some).await? {
        expired.rows += rows;
        expired.archives += u64::from(rows < AT_ONCE);
        tokio::time::sleep(PAUSE).await;
    }
    truncate_log(db).await;
    Ok(expired)
}

/// Does so soon, and then every hour, until it is dropped.
pub async fn expire_hourly(db: Database) {
    tokio::time::sleep(FIRST).await;
    loop {
        match expire(&db).await {
            Ok(expired) if expired == Expired::default() => {}
            // The demonstration begins without this program's own tables.
            Err(Error::MissingTable(_)) => {}
            Ok(Expired { deletions, archives, rows }) => {
                tracing::info!(expired = deletions, erased = archives, rows, "archives have been erased");
            }
            Err(error) => {
                let said = error.said();
                tracing::warn!(%error, said, "archives could not be expired; the next attempt is in an hour");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn in_transaction<T>(
    db: &Database,
    step: impl AsyncFnOnce(&DatabaseTransaction, &Database) -> Result<T, Error>,
) -> Result<T, Error> {
    let Writing { transaction, turn: _turn } = db.writing(true).await?;
    match step(&transaction, db).await {
        Ok(done) => {
            transaction.commit().await?;
            Ok(done)
        }
        Err(error) => {
            // The first error is the one to report.
            let _ = transaction.rollback().await;
            Err(error)
        }
    }
}

/// Marks what has expired; what somebody restores or erases just now waits for the next time.
async fn mark(transaction: &DatabaseTransaction, db: &Database) -> Result<u64, Error> {
    let dialect = db.dialect();
    let sql = format!(
        "UPDATE {0} SET status = 'EXPIRED' WHERE id IN (SELECT d.id FROM {0} d \
         WHERE d.status = 'RESTORABLE' AND d.restorable_until <= $1{1})",
        db.own_table("deletions"),
        unless_locked(dialect)
    );
    let now = dialect.time(db.settings().clock.now());
    let marked = transaction.execute_raw(dialect.statement(sql, [now])).await?.rows_affected();
    blank_runs(transaction, db, None).await?;
    Ok(marked)
}

/// Erases rows of one deletion that cannot be restored, as many as go at once; none where nothing is left.
async fn erase_some(transaction: &DatabaseTransaction, db: &Database) -> Result<Option<u64>, Error> {
    let dialect = db.dialect();
    let (kept, rows) = (db.own_table("archived_tables"), db.own_table("archived_rows"));
    let next = format!(
        "SELECT CAST(d.id AS text) AS id FROM {} d WHERE d.status <> 'RESTORABLE' \
         AND EXISTS (SELECT 1 FROM {kept} t WHERE t.deletion_id = d.id) LIMIT 1{}",
        db.own_table("deletions"),
        unless_locked(dialect)
    );
    let Some(found) = transaction.query_one_raw(dialect.statement(next, [])).await? else { return Ok(None) };
    let id: String = found.try_get("", "id")?;
    overwrites(transaction, db).await?;
    let one = dialect.uuid_parameter(1);
    let some = format!("FROM {rows} r JOIN {kept} t ON t.id = r.table_id WHERE t.deletion_id = {one} LIMIT {AT_ONCE}");
    let erase = match dialect {
        Dialect::Postgres => format!("DELETE FROM {rows} WHERE ctid = ANY (ARRAY(SELECT r.ctid {some}))"),
        Dialect::Sqlite => format!("DELETE FROM {rows} WHERE rowid IN (SELECT r.rowid {some})"),
    };
    let execute = async |sql: String| -> Result<u64, DbErr> {
        Ok(transaction.execute_raw(dialect.statement(sql, [id.as_str().into()])).await?.rows_affected())
    };
    let erased = execute(erase).await?;
    if erased < AT_ONCE {
        execute(format!("DELETE FROM {kept} WHERE deletion_id = {one}")).await?;
    }
    Ok(Some(erased))
}

/// SQLite has one writer at a time anyway.
const fn unless_locked(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
        Dialect::Sqlite => "",
    }
}
