//! An exclusive run of migrations.

use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};
use sea_orm_migration::MigratorTraitSelf;

use crate::{
    Error, STALE_PURGE, adoption,
    dialect::{Dialect, OWN_SCHEMA, quote, rows},
    history, m20260101_000002_schema_as_built as as_built,
    migration_lock::Lock,
    migrator::Migrator,
    postgres,
};

/// An exclusive run: a connection of its own, and the lock that keeps every other run away while this value lives.
///
/// The lock does not keep a server from using the database; nor does the run hold any lock on a table between two steps,
/// so the purge may go through connections of the caller's.
///
/// A database in memory is private to its connection, so migrating one leads nowhere.
pub struct Session {
    db: DatabaseConnection,
    migrator: Migrator,
    lock: Lock,
}

impl Session {
    /// Connects to the database at `url` and takes the lock. Changes nothing yet. `schema` is the PostgreSQL schema of
    /// the business tables; on SQLite it means nothing. If another run is under way, calls `wait` once and waits until
    /// that is over, however long it takes: then this one finds less to do, or nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if it cannot be connected to, [`Error::LockFile`] if an SQLite database's lock file cannot be
    /// used.
    pub async fn open(url: &str, schema: &str, wait: impl FnOnce() + Send) -> Result<Self, Error> {
        let db = connect(url).await?;
        let dialect = Dialect::of(&db)?;
        let lock = match dialect {
            Dialect::Postgres => Lock::postgres(connect(url).await?, wait).await?,
            Dialect::Sqlite => Lock::sqlite(&db, wait).await?,
        };
        Ok(Self { db, migrator: Migrator::new(dialect, schema), lock })
    }

    /// The names of the migrations that have not been applied, in order.
    ///
    /// # Errors
    ///
    /// As for [`pending`](crate::pending).
    pub async fn pending(&self) -> Result<Vec<String>, Error> {
        history::pending(&self.db).await
    }

    /// Applies what comes before the purge of stale sessions ([`STALE_PURGE`]), telling `on_applied` each name.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; each says what to do next. What was applied before it stays applied.
    pub async fn apply_before_purge(&self, on_applied: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        self.apply(true, on_applied).await
    }

    /// Applies everything that is left, telling `on_applied` each name. The purge's migration only records that the
    /// purge has been made, so the caller makes it before.
    ///
    /// # Errors
    ///
    /// Any [`Error`]; each says what to do next. What was applied before it stays applied.
    pub async fn apply_rest(&self, on_applied: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        self.apply(false, on_applied).await
    }

    /// Ends the run and lets the next one begin.
    ///
    /// # Errors
    ///
    /// [`Error::Database`] if the connection broke; the lock is free then, too.
    pub async fn close(self) -> Result<(), Error> {
        self.db.close().await?;
        self.lock.release().await
    }

    async fn apply(&self, stop_at_purge: bool, on_applied: &mut (dyn FnMut(&str) + Send)) -> Result<(), Error> {
        let names = self.pending().await?;
        let before = |name: &&String| !stop_at_purge || name.as_str() != STALE_PURGE;
        let names: Vec<_> = names.iter().take_while(before).collect();
        if names.is_empty() {
            return Ok(());
        }
        if names.iter().any(|name| *name == as_built::NAME) {
            // Before anything is written: the URL may be that of another database.
            adoption::inspect(&self.db, self.migrator.schema()).await?;
        }
        self.make_own_schema().await?;
        for name in names {
            self.lock.check().await?;
            // One at a time, so that each is told when it is done; sea-orm takes the first that is pending.
            self.migrator.up(&self.db, Some(1)).await.map_err(|e| self.migrator.error(e))?;
            on_applied(name);
        }
        Ok(())
    }

    /// Makes the schema of the project's own tables. Asked for first, since IF NOT EXISTS wants the right to create
    /// schemas even where there is nothing to create.
    async fn make_own_schema(&self) -> Result<(), Error> {
        if Dialect::of(&self.db)? == Dialect::Sqlite || postgres::has_schema(&self.db, OWN_SCHEMA).await? {
            return Ok(());
        }
        let sql = format!("CREATE SCHEMA {}", quote(OWN_SCHEMA));
        self.db.execute_unprepared(&sql).await.map_err(Error::CannotCreateSchema)?;
        Ok(())
    }
}

/// A pool of exactly one connection, which is not replaced while it works: what is set on it stays set.
async fn connect(url: &str) -> Result<DatabaseConnection, Error> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        // Already here, since the role's or the database's own could cut off the statement that makes the settings.
        .statement_timeout(Duration::ZERO)
        .sqlx_logging(false)
        .map_sqlx_postgres_pool_opts(postgres::prepare);
    let db = Database::connect(options).await?;
    // A wrong password or file shows here rather than in the middle.
    rows(&db, "SELECT 1", []).await?;
    Ok(db)
}
