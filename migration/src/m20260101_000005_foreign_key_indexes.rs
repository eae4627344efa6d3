//! The migration that creates the indexes for deletions and lists: one on each foreign key of the business tables, and
//! two on groups.
//!
//! Without an index on its foreign key, a table is scanned completely for each deleted row of the referenced table.
//! Foreign keys that a deployment added to a business table also get an index. Foreign keys of other tables do not;
//! schema health reports them.

use std::sync::Arc;

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::{adoption::BUSINESS_TABLES, context::Context, dialect::Dialect, postgres, sqlite};

const GROUP_INDEXES: [(&str, &[&str]); 2] = [
    // Deletions read a session's groups in the order of their ids. Needed even if `session_id` alone has an index.
    ("whatsapp_groups", &["session_id", "id"]),
    // Lists contain the first groups of each of many sessions, by name. The index serves `ORDER BY group_name, id` for
    // one `session_id`, in the default order of nulls. Without it, all groups of each session are read and sorted.
    ("whatsapp_groups", &["session_id", "group_name", "id"]),
];

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000005_foreign_key_indexes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Disables the transaction, as PostgreSQL requires for CREATE INDEX CONCURRENTLY.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let result = match Dialect::from_connection(db)? {
            Dialect::Postgres => {
                postgres::create_missing_indexes(db, &self.0.schema, &GROUP_INDEXES, &BUSINESS_TABLES).await
            }
            Dialect::Sqlite => sqlite::create_missing_indexes(db, &GROUP_INDEXES, &BUSINESS_TABLES).await,
        };
        result.map_err(|error| self.0.record_error(error))
    }

    /// Keeps the indexes. They are harmless, and it is not recorded which of them existed before.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
