//! One run at a time.
//!
//! PostgreSQL: an advisory lock, held by a transaction on a connection of its own that does nothing else. It is polled:
//! waiting inside `pg_advisory_lock` holds a snapshot, for which the other run's CREATE INDEX CONCURRENTLY would wait
//! while its run is being waited for. SQLite: a lock of the operating system on a file beside the database, since
//! SQLite's own locks end with each transaction. Either lock ends with its process, however that ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, IsolationLevel, TransactionTrait};

use crate::{Error, dialect::rows};

/// How often a waiting run asks again.
const POLL: Duration = Duration::from_millis(500);

/// The advisory lock's key: any number, as long as it stays the same.
const KEY: i64 = i64::from_be_bytes(*b"sess-adm");

/// Other runs are kept away while this lives.
pub(crate) enum Lock {
    /// The transaction that holds the advisory lock, and the pool that its connection belongs to.
    Postgres { transaction: DatabaseTransaction, pool: DatabaseConnection },
    /// The locked file; none for a database in memory, which nobody shares.
    Sqlite { _file: Option<File> },
}

impl Lock {
    /// Takes the lock on PostgreSQL; `pool` is for it alone. Calls `wait` once if another run has it.
    pub(crate) async fn postgres(pool: DatabaseConnection, wait: impl FnOnce()) -> Result<Self, Error> {
        // READ COMMITTED whatever the default is: an idle transaction of a higher level keeps its snapshot, and
        // CREATE INDEX CONCURRENTLY would wait for it for ever.
        let level = Some(IsolationLevel::ReadCommitted);
        let transaction = pool.begin_with_config(level, None).await?;
        let mut wait = Some(wait);
        while !try_advisory(&transaction).await? {
            if let Some(wait) = wait.take() {
                wait();
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(Self::Postgres { transaction, pool })
    }

    /// Takes the lock on the SQLite database that `db` is connected to. Calls `wait` once if another run has it.
    pub(crate) async fn sqlite(db: &DatabaseConnection, wait: impl FnOnce()) -> Result<Self, Error> {
        let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
        let row = rows(db, sql, []).await?.into_iter().next();
        let database: Option<String> = row.map(|row| row.try_get("", "file")).transpose()?;
        let Some(database) = database.filter(|name| !name.is_empty()) else {
            return Ok(Self::Sqlite { _file: None });
        };
        let path = PathBuf::from(format!("{database}.migrate-lock"));
        let file = open(&path)?;
        let mut wait = Some(wait);
        while !try_file(&file, &path)? {
            if let Some(wait) = wait.take() {
                wait();
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(Self::Sqlite { _file: Some(file) })
    }

    /// Fails if the lock has been lost with its connection.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        if let Self::Postgres { transaction, .. } = self {
            transaction.execute_unprepared("SELECT 1").await.map_err(Error::LockLost)?;
        }
        Ok(())
    }

    /// Lets the next run begin. (Dropping does so too, when its connection has been closed in the background.)
    pub(crate) async fn release(self) -> Result<(), Error> {
        if let Self::Postgres { transaction, pool } = self {
            transaction.rollback().await?;
            pool.close().await?;
        }
        Ok(())
    }
}

async fn try_advisory(transaction: &DatabaseTransaction) -> Result<bool, Error> {
    let sql = "SELECT pg_catalog.pg_try_advisory_xact_lock($1) AS taken";
    let row = rows(transaction, sql, [KEY.into()]).await?.into_iter().next();
    Ok(row.map(|row| row.try_get("", "taken")).transpose()?.unwrap_or(false))
}

/// The lock file stays when the run is over: removing it could take it from under a run that has just opened it.
fn open(path: &Path) -> Result<File, Error> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    opened.map_err(|source| Error::LockFile { path: path.to_owned(), source })
}

fn try_file(file: &File, path: &Path) -> Result<bool, Error> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(Error::LockFile { path: path.to_owned(), source }),
    }
}
