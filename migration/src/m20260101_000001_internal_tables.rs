//! The migration that creates the internal tables: audit record, archives, cleanup runs, idempotency keys and access
//! tokens.
//!
//! It is the first migration. The stale purge at the end of the history is a deletion and is recorded in these tables.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::dialect::Dialect;

/// Creates the tables in the first schema of the search path, which is `session_admin` in a migration session.
const POSTGRES: &str = include_str!("internal_tables/postgres.sql");
const SQLITE: &str = include_str!("internal_tables/sqlite.sql");

/// The tables in the order in which they can be dropped: a table precedes the tables that it references.
const DROP_ORDER: [&str; 9] = [
    "tokens",
    "idempotency_keys",
    "cleanup_run_sessions",
    "archived_rows",
    "archived_tables",
    "deleted_sessions",
    "deletions",
    "cleanup_runs",
    "created_tables",
];

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000001_internal_tables"
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
        let sql = match Dialect::from_connection(db)? {
            Dialect::Postgres => POSTGRES,
            Dialect::Sqlite => SQLITE,
        };
        db.execute_unprepared(sql).await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::from_connection(db)?;
        for table in DROP_ORDER {
            db.execute_unprepared(&format!("DROP TABLE IF EXISTS {}", dialect.internal_table(table))).await?;
        }
        Ok(())
    }
}
