//! A session that applies migrations, exclusively on its database.

use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use sea_orm_migration::MigratorTraitSelf;

use crate::{
    adoption,
    dialect::{Dialect, INTERNAL_SCHEMA},
    error::Error,
    history,
    identifier::quote_identifier,
    m20260101_000002_schema_as_built as schema_as_built, m20260101_000007_stale_purge as stale_purge,
    migration_lock::MigrationLock,
    migrator::Migrator,
    postgres,
    query::fetch_rows,
};

/// An exclusive session on a database. It consists of a separate connection and the lock that excludes other sessions.
///
/// The lock does not exclude servers or other programs. Between two migrations the session holds no table locks, so
/// that the caller can execute the purge through its own connections.
///
/// An in-memory database is private to its connection, so migrating one has no effect for other connections.
pub struct MigrationSession {
    db: DatabaseConnection,
    migrator: Migrator,
    lock: MigrationLock,
}

impl MigrationSession {
    /// Connects to the database at `url` and acquires the lock. Nothing is changed in the database.
    ///
    /// `schema` is the PostgreSQL schema of the business tables. SQLite does not use it. If another session holds the
    /// lock, calls `on_wait` once and waits without a limit until that session ends. Fewer migrations, or none, are
    /// pending after that.
    ///
    /// # Errors
    ///
    /// - [`Error::Database`] if the connection fails
    /// - [`Error::LockFile`] if the lock file of an SQLite database cannot be created or locked
    pub async fn open(url: &str, schema: &str, on_wait: impl FnOnce() + Send) -> Result<Self, Error> {
        let db = connect(url).await?;
        let dialect = Dialect::from_connection(&db)?;
        let lock = match dialect {
            Dialect::Postgres => MigrationLock::acquire_postgres(connect(url).await?, on_wait).await?,
            Dialect::Sqlite => MigrationLock::acquire_sqlite(&db, on_wait).await?,
        };
        Ok(Self { db, migrator: Migrator::new(dialect, schema), lock })
    }

    /// Returns the names of the migrations that have not been applied, in order.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`list_pending`](crate::list_pending).
    pub async fn list_pending(&self) -> Result<Vec<String>, Error> {
        history::list_pending(&self.db).await
    }

    /// Applies the pending migrations that precede the stale purge ([`STALE_PURGE`](crate::STALE_PURGE)), and calls
    /// `on_applied` with each name.
    ///
    /// # Errors
    ///
    /// Returns any [`Error`], which states the next step. Migrations that were applied before the error stay applied.
    pub async fn apply_before_purge(&self, on_applied: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        let pending = self.list_pending().await?;
        let before_purge = pending.iter().take_while(|name| name.as_str() != stale_purge::NAME);
        self.apply(&before_purge.collect::<Vec<_>>(), on_applied).await
    }

    /// Applies all pending migrations, and calls `on_applied` with each name.
    ///
    /// The migration of the stale purge only records the purge. The caller executes the purge before.
    ///
    /// # Errors
    ///
    /// Returns any [`Error`], which states the next step. Migrations that were applied before the error stay applied.
    pub async fn apply_remaining(&self, on_applied: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        let pending = self.list_pending().await?;
        self.apply(&pending.iter().collect::<Vec<_>>(), on_applied).await
    }

    /// Closes the connections and releases the lock.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Database`] if a connection was lost. The lock is released in that case too.
    pub async fn close(self) -> Result<(), Error> {
        self.db.close().await?;
        self.lock.release().await
    }

    /// Applies the named migrations, which must be the first pending ones.
    async fn apply(&self, names: &[&String], on_applied: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        if names.iter().any(|name| *name == schema_as_built::NAME) {
            // The check precedes every write, because the URL may be that of a wrong database.
            adoption::detect_kind(&self.db, self.migrator.schema()).await?;
        }
        self.create_internal_schema().await?;
        for name in names {
            self.lock.ensure_held().await?;
            // Each call applies the first pending migration only, so that `on_applied` is called after each one.
            self.migrator.up(&self.db, Some(1)).await.map_err(|error| self.migrator.convert_error(error))?;
            on_applied(name);
        }
        Ok(())
    }

    /// Creates the schema of the internal tables on PostgreSQL, if it does not exist.
    ///
    /// CREATE SCHEMA IF NOT EXISTS would require the privilege to create schemas even if the schema exists.
    async fn create_internal_schema(&self) -> Result<(), Error> {
        if Dialect::from_connection(&self.db)? == Dialect::Sqlite
            || postgres::has_schema(&self.db, INTERNAL_SCHEMA).await?
        {
            return Ok(());
        }
        let sql = format!("CREATE SCHEMA {}", quote_identifier(INTERNAL_SCHEMA));
        self.db.execute_unprepared(&sql).await.map_err(Error::CannotCreateSchema)?;
        Ok(())
    }
}

/// Opens a pool of exactly one connection that is never replaced, so that its settings stay in force.
async fn connect(url: &str) -> Result<DatabaseConnection, Error> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        // The timeout is set from the start, because the default of the role or the database could cancel the statement
        // that applies the other settings.
        .statement_timeout(Duration::ZERO)
        .sqlx_logging(false)
        .map_sqlx_postgres_pool_opts(postgres::configure_connections);
    let db = Database::connect(options).await?;
    // A wrong password or file is reported here, before anything is executed.
    fetch_rows(&db, "SELECT 1", []).await?;
    Ok(db)
}
