//! The database connection that everything else takes.

use std::sync::Arc;

use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseConnection, DatabaseTransaction, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use tokio::sync::Mutex;

use super::column_cache::ColumnCache;
use super::database_settings::DatabaseSettings;
use super::dialect::Dialect;
use super::pool;
use super::write_transaction::{self, WriteTransaction};
use crate::error::Error;

/// A connected database. Clones share the connections.
#[derive(Debug, Clone)]
pub struct Database {
    pool: DatabaseConnection,
    /// On SQLite, the one connection that writes, whose `foreign_keys` pragma a deletion may set.
    writer: Option<Arc<Mutex<DatabaseConnection>>>,
    dialect: Dialect,
    settings: DatabaseSettings,
    column_cache: ColumnCache,
}

impl Database {
    /// Connects. On SQLite, foreign keys are enforced on every connection, and a file that does not exist is created.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the database cannot be reached, [`Error::BadInput`] for a URL of another database.
    pub async fn connect(settings: DatabaseSettings) -> Result<Self, Error> {
        let dialect = Dialect::from_url(&settings.url)?;
        let (pool, writer) = match dialect {
            Dialect::Postgres => (pool::postgres(&settings).await?, None),
            Dialect::Sqlite => {
                let writer = pool::sqlite(&settings, 1).await?;
                (pool::sqlite(&settings, settings.max_connections).await?, Some(Arc::new(Mutex::new(writer))))
            }
        };
        Ok(Self { pool, writer, dialect, settings, column_cache: ColumnCache::default() })
    }

    /// Returns why PostgreSQL cannot be reached, which its pool does not report; none if it can be reached, or the
    /// reason is unknown. SQLite's pool reports its own errors.
    pub async fn unavailable_reason(&self) -> Option<Error> {
        match self.dialect {
            Dialect::Postgres => pool::unavailable_reason(&self.settings.url).await,
            Dialect::Sqlite => None,
        }
    }

    /// Returns the pool, for single statements.
    #[must_use]
    pub const fn pool(&self) -> &DatabaseConnection {
        &self.pool
    }

    /// Returns the number of connections in the pool and the number of idle ones. SQLite's writing connection is not in
    /// the pool.
    #[must_use]
    pub fn connection_counts(&self) -> (u32, u32) {
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

    /// Calls `observer` with every later statement, for tests that count statements.
    pub async fn on_statement(
        &mut self,
        observer: impl Fn(&sea_orm::metric::Info<'_>) + Clone + Send + Sync + 'static,
    ) {
        if let Some(writer) = &self.writer {
            writer.lock().await.set_metric_callback(observer.clone());
        }
        self.pool.set_metric_callback(observer);
    }

    /// Returns the SQL dialect.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Returns the settings of the connection.
    #[must_use]
    pub const fn settings(&self) -> &DatabaseSettings {
        &self.settings
    }

    /// Returns the schema of the business tables as the catalog names it: `main` on SQLite.
    #[must_use]
    pub fn schema(&self) -> &str {
        match self.dialect {
            Dialect::Postgres => &self.settings.schema,
            Dialect::Sqlite => "main",
        }
    }

    /// Returns the SQL name of one of this program's internal tables.
    #[must_use]
    pub fn internal_table(&self, name: &str) -> String {
        self.dialect.internal_table(name)
    }

    pub(super) const fn column_cache(&self) -> &ColumnCache {
        &self.column_cache
    }

    /// Begins a read-only transaction that sees one snapshot. A query fails where row-level security would hide rows.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if no connection is available.
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
        // A task of its own, which a disconnected client does not cancel. The driver rolls back a transaction that it
        // knows of, but it does not know of one whose BEGIN was cancelled: the pool's next user would be within a
        // transaction.
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with_options(options).await });
        let ended = |defect| Error::Io {
            what: "The task that begins a transaction ended early".to_owned(),
            source: std::io::Error::other(defect),
        };
        Ok(begun.await.map_err(ended)??)
    }

    /// Begins the transaction of a deletion.
    ///
    /// On PostgreSQL it is READ COMMITTED with timeouts of its own. On SQLite it takes the write lock at once and
    /// enforces foreign keys only if asked to.
    ///
    /// # Errors
    /// [`Error::LockTimeout`] if another process holds SQLite's write lock, [`Error::Unavailable`] if no connection is
    /// available.
    pub async fn begin_write(&self, enforce_foreign_keys: bool) -> Result<WriteTransaction, Error> {
        match &self.writer {
            None => write_transaction::begin_on_postgres(&self.pool, &self.settings).await,
            Some(writer) => write_transaction::begin_on_sqlite(Arc::clone(writer), enforce_foreign_keys).await,
        }
    }

    /// Copies SQLite's write-ahead log into the database and truncates it, so that nothing that was overwritten is left
    /// in the log. Returns false if readers or writers prevented it for too long; on PostgreSQL it does nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if no connection is available.
    pub async fn truncate_wal(&self) -> Result<bool, Error> {
        let Some(writer) = &self.writer else { return Ok(true) };
        let statement = self.dialect.statement("PRAGMA wal_checkpoint(TRUNCATE)", []);
        let row = writer.lock().await.query_one_raw(statement).await?;
        Ok(row.map(|row| row.try_get_by_index::<i64>(0)).transpose()? == Some(0))
    }

    /// Closes every connection.
    ///
    /// # Errors
    /// [`Error::Database`] if a connection cannot be closed properly.
    pub async fn close(self) -> Result<(), Error> {
        if let Some(writer) = self.writer {
            writer.lock().await.close_by_ref().await?;
        }
        Ok(self.pool.close().await?)
    }
}
