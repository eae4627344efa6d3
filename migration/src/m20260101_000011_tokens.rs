//! Access tokens.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::dialect::Dialect;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000011_tokens"
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
        let sql = match Dialect::of(db)? {
            Dialect::Postgres => include_str!("tokens/postgres_up.sql"),
            Dialect::Sqlite => include_str!("tokens/sqlite_up.sql"),
        };
        db.execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = match Dialect::of(db)? {
            Dialect::Postgres => include_str!("tokens/postgres_down.sql"),
            Dialect::Sqlite => include_str!("tokens/sqlite_down.sql"),
        };
        db.execute_unprepared(sql).await?;
        Ok(())
    }
}
