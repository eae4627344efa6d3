//! An index that has a session's groups in the order in which they are listed.
//!
//! A page that shows the first groups of each of many sessions reads these few from it; without it, every group of each
//! session is read and sorted. It serves only `ORDER BY group_name, id` without a word on nulls, for one `session_id`.

use std::sync::Arc;

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::{dialect::Dialect, migrator::Context, postgres, sqlite};

const GROUPS: (&str, [&str; 3]) = ("whatsapp_groups", ["session_id", "group_name", "id"]);

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000008_group_list_index"
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
            Dialect::Postgres => postgres::index(db, &self.0.schema, &[], table, &columns).await,
            Dialect::Sqlite => sqlite::index(db, &[], table, &columns).await,
        };
        done.map_err(|e| self.0.fail(e))
    }

    /// Nothing: an index is in nobody's way, and whether it was there before is not known.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
