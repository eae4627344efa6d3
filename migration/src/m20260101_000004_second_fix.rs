//! The migration that applies the second fix. It sets the final ON DELETE action of all twelve references to sessions
//! and groups.
//!
//! The second fix does not depend on the first one, because deployments were repaired manually in different ways.
//! Regardless of its existing foreign keys, a reference ends with exactly one, which is valid and has the final action.

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

const FIXES: [ForeignKeyFix; 12] = [
    ForeignKeyFix {
        referenced_table: "whatsapp_sessions",
        ..group_reference("whatsapp_groups", "session_id", Cascade)
    },
    group_reference("notification_campaign_groups", "group_id", Cascade),
    group_reference("webinars", "whatsapp_group_id", SetNull),
    group_reference("webinars", "community_group_id", SetNull),
    group_reference("webinar_whatsapp_groups", "group_id", Cascade),
    group_reference("scheduled_webinar_messages", "group_id", Cascade),
    group_reference("scheduled_whatsapp_messages", "group_id", Cascade),
    group_reference("workshops", "whatsapp_group_id", SetNull),
    group_reference("workshop_whatsapp_groups", "group_id", Cascade),
    group_reference("workshop_group_members", "group_id", SetNull),
    group_reference("whatsapp_group_admins", "group_id", Cascade),
    group_reference("dynamic_links", "whatsapp_group_id", SetNull),
];

const fn group_reference(table: &'static str, column: &'static str, action: ReferentialAction) -> ForeignKeyFix {
    ForeignKeyFix { table, column, referenced_table: "whatsapp_groups", action, final_action: action }
}

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000004_second_fix"
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
