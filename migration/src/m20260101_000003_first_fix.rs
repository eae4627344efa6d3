//! The migration that applies the first fix in its original form. It sets the ON DELETE action of the five foreign keys
//! that had none.
//!
//! The fix has a fault: it sets `notification_campaign_groups.group_id` to SET NULL, but the column is NOT NULL.
//! Deletions are still rejected, only later. The second fix corrects the fault. References that already have their
//! final action are skipped.

use std::sync::Arc;

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::{
    context::Context,
    dialect::Dialect,
    foreign_key_fix::{
        ForeignKeyFix,
        ReferentialAction::{self, Cascade, SetNull},
    },
    postgres, sqlite,
};

const FIXES: [ForeignKeyFix; 5] = [
    group_reference("notification_campaign_groups", "group_id", SetNull, Cascade),
    group_reference("webinars", "whatsapp_group_id", SetNull, SetNull),
    group_reference("webinars", "community_group_id", SetNull, SetNull),
    group_reference("webinar_whatsapp_groups", "group_id", Cascade, Cascade),
    group_reference("scheduled_webinar_messages", "group_id", Cascade, Cascade),
];

const fn group_reference(
    table: &'static str,
    column: &'static str,
    action: ReferentialAction,
    final_action: ReferentialAction,
) -> ForeignKeyFix {
    ForeignKeyFix { table, column, referenced_table: "whatsapp_groups", action, final_action }
}

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000003_first_fix"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Disables the outer transaction. The repair opens its own transactions, so that no lock is held longer than
    /// needed.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let result = match Dialect::from_connection(db)? {
            Dialect::Postgres => postgres::repair_foreign_keys(db, &self.0.schema, &FIXES).await,
            Dialect::Sqlite => sqlite::repair_foreign_keys(db, &FIXES).await,
        };
        result.map_err(|error| self.0.record_error(error))
    }

    /// Keeps the actions, because deletions would be rejected again without them.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
