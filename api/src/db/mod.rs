//! The database: connecting, and the one boundary behind which PostgreSQL and SQLite differ.

mod dialect;
mod ids;
pub mod pagination;
mod parameters;
pub(crate) mod pg_text;
mod pool;
mod sql_value;
mod table_columns;
pub mod text_search;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::clock::Clock;
use crate::error::Error;

pub use dialect::{Dialect, quote};
pub use ids::{distinct, ids_parameter};
pub use parameters::Parameters;
pub use sql_value::Cell;
pub use table_columns::Columns;

/// Where the database is and how long it may take.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `postgres://…` or `sqlite://FILE`. It may hold a password, so it is not printed.
    pub url: String,
    /// The schema of the business tables on PostgreSQL.
    pub schema: String,
    /// The most connections kept open.
    pub max_connections: u32,
    /// How long a read may take.
    pub query_timeout: Duration,
    /// How long one statement of a deletion may take.
    pub deletion_timeout: Duration,
    /// How long a statement waits for a lock.
    pub lock_timeout: Duration,
    /// How long deletions can be restored; zero keeps no archives.
    pub archive_for: TimeDelta,
    /// For how long a cleanup run is a worker's, from the last sign of it.
    pub run_lease: Duration,
    /// Where the time comes from.
    pub clock: Clock,
}

impl DatabaseSettings {
    /// The defaults, for the database at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: "public".to_owned(),
            max_connections: 16,
            query_timeout: Duration::from_secs(30),
            deletion_timeout: Duration::from_mins(10),
            lock_timeout: Duration::from_secs(5),
            archive_for: TimeDelta::days(30),
            run_lease: Duration::from_secs(15),
            clock: Clock::System,
        }
    }
}

impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseSettings")
            .field("url", &"[redacted]")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}

/// A database that is connected to.
#[derive(Debug, Clone)]
pub struct Database {
    pool: DatabaseConnection,
    /// SQLite only: the one connection that writes, whose `foreign_keys` pragma a deletion may set.
    writer: Option<Arc<Mutex<DatabaseConnection>>>,
    dialect: Dialect,
    settings: DatabaseSettings,
    /// What [`Columns::recent`] has read.
    known_columns: table_columns::Known,
}

impl Database {
    /// Connects. Foreign keys are enforced on every connection to SQLite; a file that does not exist is made.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be reached, [`Error::BadInput`] when the URL is of neither database.
    pub async fn connect(settings: DatabaseSettings) -> Result<Self, Error> {
        let dialect = Dialect::of_url(&settings.url)?;
        let (pool, writer) = match dialect {
            Dialect::Postgres => (pool::postgres(&settings).await?, None),
            Dialect::Sqlite => {
                let writer = pool::sqlite(&settings, 1).await?;
                (pool::sqlite(&settings, settings.max_connections).await?, Some(Arc::new(Mutex::new(writer))))
            }
        };
        Ok(Self { pool, writer, dialect, settings, known_columns: table_columns::Known::default() })
    }

    /// Why PostgreSQL cannot be reached now, which its pool does not tell; none where it can, or nothing is known. SQLite's
    /// pool tells it.
    pub async fn why_away(&self) -> Option<Error> {
        match self.dialect {
            Dialect::Postgres => pool::cause(&self.settings.url).await,
            Dialect::Sqlite => None,
        }
    }

    /// The pool, for single statements.
    #[must_use]
    pub const fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// How many connections the pool has, and how many of them nobody uses. SQLite's one writer is not among them.
    #[must_use]
    pub fn connections(&self) -> (u32, u32) {
        let (open, idle) = match self.dialect {
            Dialect::Postgres => {
                let pool = self.pool.get_postgres_connection_pool();
                (pool.size(), pool.num_idle())
            }
            Dialect::Sqlite => {
                let pool = self.pool.get_sqlite_connection_pool();
                (pool.size(), pool.num_idle())
            }
        };
        (open, u32::try_from(idle).unwrap_or(open))
    }

    /// Calls `observer` with every statement from here on: for tests that count statements.
    pub async fn observe(&mut self, observer: impl Fn(&sea_orm::metric::Info<'_>) + Clone + Send + Sync + 'static) {
        if let Some(writer) = &self.writer {
            writer.lock().await.set_metric_callback(observer.clone());
        }
        self.pool.set_metric_callback(observer);
    }

    /// Which database it is.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// How it was connected to.
    #[must_use]
    pub const fn settings(&self) -> &DatabaseSettings {
        &self.settings
    }

    /// The schema of the business tables as the catalogue names it: `main` on SQLite.
    #[must_use]
    pub fn schema(&self) -> &str {
        match self.dialect {
            Dialect::Postgres => &self.settings.schema,
            Dialect::Sqlite => "main",
        }
    }

    /// One of this program's own tables, as SQL names it.
    #[must_use]
    pub fn own_table(&self, name: &str) -> String {
        self.dialect.own_table(name)
    }

    /// A read-only transaction that sees one moment, and errs where row-level security would hide rows.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no connection is to be had.
    pub async fn snapshot(&self) -> Result<DatabaseTransaction, Error> {
        let options = match self.dialect {
            Dialect::Postgres => TransactionOptions {
                isolation_level: Some(IsolationLevel::RepeatableRead),
                access_mode: Some(AccessMode::ReadOnly),
                ..TransactionOptions::default()
            },
            Dialect::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
                ..TransactionOptions::default()
            },
        };
        // In a task of its own, which a client that goes away does not end: the driver rolls back what has begun, but of
        // a BEGIN whose answer nobody waits for it knows nothing, and the pool's next user would be within a transaction.
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with_options(options).await });
        let ended = |defect| Error::Io {
            what: "The task that begins a transaction ended early".to_owned(),
            source: std::io::Error::other(defect),
        };
        Ok(begun.await.map_err(ended)??)
    }

    /// The transaction of a deletion: READ COMMITTED with its own time-outs on PostgreSQL; on SQLite the write lock is
    /// taken at once, and foreign keys are enforced or not as asked, which must be settled before it begins.
    ///
    /// # Errors
    /// [`Error::LockTimeout`] when another process holds SQLite's write lock, [`Error::Unavailable`] when no connection
    /// is to be had.
    pub async fn writing(&self, enforce_foreign_keys: bool) -> Result<Writing, Error> {
        match &self.writer {
            None => self.writing_on_postgres().await,
            Some(writer) => writing_on_sqlite(Arc::clone(writer), enforce_foreign_keys).await,
        }
    }

    async fn writing_on_postgres(&self) -> Result<Writing, Error> {
        let transaction = self.pool.begin().await?;
        let milliseconds = |limit: Duration| limit.as_millis().to_string();
        let limits = self.dialect.statement(
            "SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)",
            [milliseconds(self.settings.lock_timeout).into(), milliseconds(self.settings.deletion_timeout).into()],
        );
        transaction.execute_raw(limits).await?;
        Ok(Writing { transaction, turn: None })
    }

    /// Empties SQLite's write-ahead log into the database, so that nothing of what has been overwritten there is left in
    /// it. False where somebody reads, or writes, for too long for that; PostgreSQL has nothing to do here.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no connection is to be had.
    pub async fn truncate_log(&self) -> Result<bool, Error> {
        let Some(writer) = &self.writer else { return Ok(true) };
        let statement = self.dialect.statement("PRAGMA wal_checkpoint(TRUNCATE)", []);
        let row = writer.lock().await.query_one_raw(statement).await?;
        Ok(row.map(|row| row.try_get_by_index::<i64>(0)).transpose()? == Some(0))
    }

    /// Closes every connection.
    ///
    /// # Errors
    /// [`Error::Database`] when a connection cannot be closed in good order.
    pub async fn close(self) -> Result<(), Error> {
        if let Some(writer) = self.writer {
            writer.lock().await.close_by_ref().await?;
        }
        Ok(self.pool.close().await?)
    }
}

/// A transaction that writes.
#[derive(Debug)]
pub struct Writing {
    /// The transaction.
    pub transaction: DatabaseTransaction,
    /// On SQLite deletions take turns, since the pragma and the transaction must meet on one connection.
    pub turn: Option<OwnedMutexGuard<DatabaseConnection>>,
}

async fn writing_on_sqlite(writer: Arc<Mutex<DatabaseConnection>>, enforce: bool) -> Result<Writing, Error> {
    let turn = writer.lock_owned().await;
    turn.execute_unprepared(if enforce { "PRAGMA foreign_keys = ON" } else { "PRAGMA foreign_keys = OFF" }).await?;
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = turn.begin_with_options(options).await?;
    let read = transaction.query_one_raw(Dialect::Sqlite.statement("PRAGMA foreign_keys", [])).await?;
    let is_on = read.map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
    if is_on != Some(i64::from(enforce)) {
        return Err(Error::Unsuitable("The connection was replaced while a deletion began. Try again.".to_owned()));
    }
    if enforce {
        transaction.execute_unprepared("PRAGMA defer_foreign_keys = ON").await?;
    }
    Ok(Writing { transaction, turn: Some(turn) })
}
