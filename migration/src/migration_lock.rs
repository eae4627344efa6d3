//! The lock that permits one migration session at a time on a database.
//!
//! - PostgreSQL: an advisory lock, held by an otherwise idle transaction on a separate connection. A waiting session
//!   polls it. `pg_advisory_lock` would hold a snapshot while it waits, and CREATE INDEX CONCURRENTLY in the other
//!   session would wait for that snapshot, which is a deadlock.
//! - SQLite: an operating-system lock on a file next to the database. SQLite's own locks end with each transaction.
//!
//! Both locks end with the process, even if it is killed.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, IsolationLevel, TransactionTrait};

use crate::{error::Error, query::fetch_rows};

const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The key of the advisory lock. The value is arbitrary but must never change.
const ADVISORY_LOCK_KEY: i64 = i64::from_be_bytes(*b"sess-adm");

/// The lock of a migration session, held until it is released or dropped.
pub(crate) enum MigrationLock {
    Postgres {
        /// The transaction that holds the advisory lock.
        transaction: DatabaseTransaction,
        /// The pool of the transaction's connection.
        pool: DatabaseConnection,
    },
    Sqlite {
        /// The locked file. `None` for an in-memory database, which no other process can open.
        _file: Option<File>,
    },
}

impl MigrationLock {
    /// Acquires the lock on PostgreSQL, on a pool that is not used for anything else.
    ///
    /// Calls `on_wait` once if another session holds the lock.
    pub(crate) async fn acquire_postgres(pool: DatabaseConnection, on_wait: impl FnOnce()) -> Result<Self, Error> {
        // An idle transaction of a higher isolation level would hold its snapshot, and CREATE INDEX CONCURRENTLY would
        // wait for it forever.
        let level = Some(IsolationLevel::ReadCommitted);
        let transaction = pool.begin_with_config(level, None).await?;
        let mut on_wait = Some(on_wait);
        while !try_advisory_lock(&transaction).await? {
            if let Some(on_wait) = on_wait.take() {
                on_wait();
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(Self::Postgres { transaction, pool })
    }

    /// Acquires the lock on the SQLite database that `db` is connected to.
    ///
    /// Calls `on_wait` once if another session holds the lock.
    pub(crate) async fn acquire_sqlite(db: &DatabaseConnection, on_wait: impl FnOnce()) -> Result<Self, Error> {
        let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let row = fetch_rows(db, sql, []).await?.into_iter().next();
        let database: Option<String> = row.map(|row| row.try_get("", "file")).transpose()?;
        let Some(database) = database.filter(|name| !name.is_empty()) else {
            return Ok(Self::Sqlite { _file: None });
        };
        let path = PathBuf::from(format!("{database}.migrate-lock"));
        let file = open_lock_file(&path)?;
        let mut on_wait = Some(on_wait);
        while !try_file_lock(&file, &path)? {
            if let Some(on_wait) = on_wait.take() {
                on_wait();
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(Self::Sqlite { _file: Some(file) })
    }

    /// Returns an error if the connection that holds the lock has been lost.
    pub(crate) async fn ensure_held(&self) -> Result<(), Error> {
        if let Self::Postgres { transaction, .. } = self {
            transaction.execute_unprepared("SELECT 1").await.map_err(Error::LockLost)?;
        }
        Ok(())
    }

    /// Releases the lock before it returns. Dropping the lock also releases it, but on PostgreSQL with a delay.
    pub(crate) async fn release(self) -> Result<(), Error> {
        if let Self::Postgres { transaction, pool } = self {
            transaction.rollback().await?;
            pool.close().await?;
        }
        Ok(())
    }
}

async fn try_advisory_lock(transaction: &DatabaseTransaction) -> Result<bool, Error> {
    let sql = "SELECT pg_catalog.pg_try_advisory_xact_lock($1) AS acquired";
    let row = fetch_rows(transaction, sql, [ADVISORY_LOCK_KEY.into()]).await?.into_iter().next();
    Ok(row.map(|row| row.try_get("", "acquired")).transpose()?.unwrap_or(false))
}

/// Opens or creates the lock file. The file is never deleted, because another session may have just opened it.
fn open_lock_file(path: &Path) -> Result<File, Error> {
    let result = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    result.map_err(|source| Error::LockFile { path: path.to_owned(), source })
}

fn try_file_lock(file: &File, path: &Path) -> Result<bool, Error> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(Error::LockFile { path: path.to_owned(), source }),
    }
}
