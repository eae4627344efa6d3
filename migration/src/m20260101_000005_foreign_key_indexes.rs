//! Indexes on the business tables' foreign keys. Without one, every deleted parent row costs a scan of the whole table.
//!
//! All foreign keys of these tables, also those that a deployment added. Other tables' are the deployment's own matter:
//! schema health reports them.

use std::sync::Arc;

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::{adoption::TABLES, dialect::Dialect, migrator::Context, postgres, sqlite};

/// Wanted also where an index on the session alone exists: a deletion goes through a session's groups in order of their
/// ids, and this index gives it both.
const GROUPS: (&str, [&str; 2]) = ("whatsapp_groups", ["session_id", "id"]);

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000005_foreign_key_indexes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// PostgreSQL refuses CREATE INDEX CONCURRENTLY in a transaction.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let (table, columns) = GROUPS;
        let done = match Dialect::of(db)? {
            Dialect::Postgres => postgres::index(db, &self.0.schema, &TABLES, table, &columns).await,
            Dialect::Sqlite => sqlite::index(db, &TABLES, table, &columns).await,
        };
        done.map_err(|e| self.0.fail(e))
    }

    /// Nothing: an index is in nobody's way, and which of them were there before is not known.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
