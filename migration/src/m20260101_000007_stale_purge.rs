//! The migration that records the purge of stale sessions in the history. It changes nothing else.
//!
//! `session-admin migrate` executes the purge with the deletion engine, which can preview, record and restore it. SQL
//! in this migration could not. The purge is executed between [`MigrationSession::apply_before_purge`] and
//! [`MigrationSession::apply_remaining`]. A new database has nothing to purge.
//!
//! [`MigrationSession::apply_before_purge`]: crate::MigrationSession::apply_before_purge
//! [`MigrationSession::apply_remaining`]: crate::MigrationSession::apply_remaining

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The name of the stale purge's migration. While it is pending, `session-admin migrate` executes a purge.
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

    /// Restores nothing, because the purge's deletion is restored through its archive.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
