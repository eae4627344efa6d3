//! Records in the history that the purge of stale sessions has been made. Changes nothing itself.
//!
//! `session-admin migrate` makes the purge through the deletion engine, which previews it, records it and can restore
//! it; SQL in this migration could do none of that. It does so between [`MigrationSession::apply_before_purge`] and
//! [`MigrationSession::apply_remaining`]. A new database has nothing to purge.
//!
//! [`MigrationSession::apply_before_purge`]: crate::MigrationSession::apply_before_purge
//! [`MigrationSession::apply_remaining`]: crate::MigrationSession::apply_remaining

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

/// The name of the stale purge's migration. While it is pending, `session-admin migrate` has a purge to make.
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

    /// Restores nothing: a restore of the purge's deletion does that.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
