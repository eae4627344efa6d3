//! The purge of stale sessions: only a mark in the history that it has been made.
//!
//! A purge in here would be SQL that nobody previewed, recorded or could take back. So `session-admin migrate` makes it
//! through the deletion engine, asked for and recorded, between [`crate::Session::apply_before_purge`] and
//! [`crate::Session::apply_rest`]; this migration then finds nothing left to do. A new database has nothing to purge.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The name of the purge's migration. While [`crate::pending`] lists it, `session-admin migrate` has a purge to make.
pub const NAME: &str = "m20260101_000007_stale_purge";

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    /// Nothing: what was purged is restored by restoring its deletion.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
