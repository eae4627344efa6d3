//! Cleanup runs in the background: whose turn a run is, what it restores, and the queue that workers take runs from.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, SchemaManagerConnection};

use crate::{
    Error,
    dialect::{Dialect, rows, run},
    migrator::Context,
    postgres,
};

/// The schema of the queue on PostgreSQL, and what is recorded as created on either database.
const QUEUE: &str = "apalis";

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000010_background_runs"
    }
}

/// On PostgreSQL names are found in the run's search path, which leads to the schema `session_admin`.
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// In one transaction with its record on either database.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db)?;
        let sql = match dialect {
            Dialect::Postgres => include_str!("background_runs/postgres_up.sql"),
            Dialect::Sqlite => include_str!("background_runs/sqlite_up.sql"),
        };
        db.execute_unprepared(sql).await?;
        match dialect {
            Dialect::Postgres => self.queue_on_postgres(db).await,
            Dialect::Sqlite => self.queue_on_sqlite(db).await,
        }
    }

    /// A queue that was there before stays.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db)?;
        let record = dialect.own_table("created_tables");
        let made = rows(db, &format!("SELECT name FROM {record} WHERE name = $1"), [QUEUE.into()]).await?;
        let (sql, queue) = match dialect {
            Dialect::Postgres => (
                include_str!("background_runs/postgres_down.sql"),
                "DROP TABLE apalis.jobs CASCADE; DROP TABLE apalis.workers",
            ),
            Dialect::Sqlite => (include_str!("background_runs/sqlite_down.sql"), "DROP TABLE Jobs; DROP TABLE Workers"),
        };
        db.execute_unprepared(sql).await?;
        if !made.is_empty() {
            db.execute_unprepared(queue).await?;
            run(db, &format!("DELETE FROM {record} WHERE name = $1"), [QUEUE.into()]).await?;
        }
        Ok(())
    }
}

impl Migration {
    async fn queue_on_postgres(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        if !postgres::has_schema(db, QUEUE).await? {
            let sql = format!("CREATE SCHEMA {QUEUE}");
            db.execute_unprepared(&sql).await.map_err(|e| self.0.fail(Error::CannotCreateQueue(e)))?;
        }
        if rows(db, "SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'hstore'", []).await?.is_empty() {
            let sql = format!("CREATE EXTENSION hstore SCHEMA {QUEUE}");
            db.execute_unprepared(&sql).await.map_err(|e| self.0.fail(Error::CannotCreateQueue(e)))?;
        }
        let there = rows(db, "SELECT 1 AS one WHERE to_regclass('apalis.jobs') IS NOT NULL", []).await?;
        if !there.is_empty() {
            // The host works with apalis itself, and sees to its tables.
            return Ok(());
        }
        db.execute_unprepared(include_str!("background_runs/queue_postgres.sql")).await?;
        record(db, Dialect::Postgres).await
    }

    async fn queue_on_sqlite(&self, db: &SchemaManagerConnection<'_>) -> Result<(), DbErr> {
        // A host that works with apalis itself has its latest column.
        let ours = "SELECT 1 FROM pragma_table_info('Jobs') WHERE name = 'idempotency_key'";
        if !rows(db, ours, []).await?.is_empty() {
            return Ok(());
        }
        let taken = "SELECT name FROM sqlite_schema WHERE lower(name) IN ('jobs', 'workers') ORDER BY 1";
        if let Some(row) = rows(db, taken, []).await?.first() {
            return Err(self.0.fail(Error::NameTaken { table: row.try_get("", "name")? }));
        }
        db.execute_unprepared(include_str!("background_runs/queue_sqlite.sql")).await?;
        record(db, Dialect::Sqlite).await
    }
}

async fn record(db: &SchemaManagerConnection<'_>, dialect: Dialect) -> Result<(), DbErr> {
    let sql = format!("INSERT INTO {} (name) VALUES ($1)", dialect.own_table("created_tables"));
    run(db, &sql, [QUEUE.into()]).await.map(|_| ())
}
