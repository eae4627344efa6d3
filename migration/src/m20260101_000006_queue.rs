//! The migration that creates the job queue of cleanup runs: the tables of apalis, unless the database already has
//! them.
//!
//! apalis' own migrations are not used. On PostgreSQL they would also install pgcrypto and drop a function of the
//! database. On SQLite they would store their history in a table that another tool may use.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, SchemaManagerConnection};

use crate::{
    context::Context,
    dialect::Dialect,
    error::Error,
    postgres,
    query::{execute, fetch_rows},
};

/// The queue's schema on PostgreSQL, and its name in `created_tables` on both databases.
const QUEUE: &str = "apalis";

const POSTGRES: &str = include_str!("queue/postgres.sql");
const SQLITE: &str = include_str!("queue/sqlite.sql");

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000006_queue"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Applies the migration and records it in one transaction, on both databases.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        match Dialect::from_connection(db)? {
            Dialect::Postgres => self.create_on_postgres(db).await,
            Dialect::Sqlite => self.create_on_sqlite(db).await,
        }
    }

    /// Drops the queue if `up` recorded it as created. The schema and the extension remain.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::from_connection(db)?;
        let created_tables = dialect.internal_table("created_tables");
        let created =
            fetch_rows(db, &format!("SELECT name FROM {created_tables} WHERE name = $1"), [QUEUE.into()]).await?;
        if created.is_empty() {
            return Ok(());
        }
        db.execute_unprepared(match dialect {
            Dialect::Postgres => "DROP TABLE apalis.jobs CASCADE; DROP TABLE apalis.workers",
            Dialect::Sqlite => "DROP TABLE Jobs; DROP TABLE Workers",
        })
        .await?;
        execute(db, &format!("DELETE FROM {created_tables} WHERE name = $1"), [QUEUE.into()]).await?;
        Ok(())
    }
}

impl Migration {
    async fn create_on_postgres(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        if !postgres::has_schema(db, QUEUE).await? {
            let sql = format!("CREATE SCHEMA {QUEUE}");
            db.execute_unprepared(&sql).await.map_err(|error| self.0.record_error(Error::CannotCreateQueue(error)))?;
        }
        if fetch_rows(db, "SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'hstore'", []).await?.is_empty() {
            let sql = format!("CREATE EXTENSION hstore SCHEMA {QUEUE}");
            db.execute_unprepared(&sql).await.map_err(|error| self.0.record_error(Error::CannotCreateQueue(error)))?;
        }
        let existing = fetch_rows(db, "SELECT 1 AS one WHERE to_regclass('apalis.jobs') IS NOT NULL", []).await?;
        if !existing.is_empty() {
            // Another application uses apalis in this database and migrates its tables.
            return Ok(());
        }
        db.execute_unprepared(POSTGRES).await?;
        record_created(db, Dialect::Postgres).await
    }

    async fn create_on_sqlite(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        // The newest column of apalis' table indicates that another application uses apalis in this database.
        let apalis = "SELECT 1 FROM pragma_table_info('Jobs') WHERE name = 'idempotency_key'";
        if !fetch_rows(db, apalis, []).await?.is_empty() {
            return Ok(());
        }
        let conflicting = "SELECT name FROM sqlite_schema WHERE lower(name) IN ('jobs', 'workers') ORDER BY 1";
        if let Some(row) = fetch_rows(db, conflicting, []).await?.first() {
            return Err(self.0.record_error(Error::QueueNameConflict { table: row.try_get("", "name")? }));
        }
        db.execute_unprepared(SQLITE).await?;
        record_created(db, Dialect::Sqlite).await
    }
}

async fn record_created(db: &SchemaManagerConnection<'_>, dialect: Dialect) -> Result<(), DbErr> {
    let sql = format!("INSERT INTO {} (name) VALUES ($1)", dialect.internal_table("created_tables"));
    execute(db, &sql, [QUEUE.into()]).await.map(|_| ())
}
