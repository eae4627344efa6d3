//! The project's own tables: what was created and deleted, by whom, and which requests have been answered.
//!
//! First in the history, because the purge of stale sessions, later in it, is a deletion and is recorded here.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::dialect::Dialect;

/// On PostgreSQL names are found in the run's search path, which leads to the schema `session_admin`.
const POSTGRES: &str = include_str!("own_tables/postgres.sql");
const SQLITE: &str = include_str!("own_tables/sqlite.sql");

/// Dropped in this order: what references goes before what it references.
const TABLES: [&str; 4] = ["idempotency_keys", "deleted_sessions", "deletions", "created_tables"];

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000001_own_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// In one transaction with its record on either database.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = match Dialect::of(db)? {
            Dialect::Postgres => POSTGRES,
            Dialect::Sqlite => SQLITE,
        };
        db.execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db)?;
        for table in TABLES {
            db.execute_unprepared(&format!("DROP TABLE IF EXISTS {}", dialect.own_table(table))).await?;
        }
        Ok(())
    }
}
