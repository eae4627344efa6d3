//! The second fix: campaign groups go with their group, and every reference on a session's way has the right rule.
//!
//! Deployments were mended by hand in between, each in its own way. So this does not build on the first fix: whatever
//! rules a database has, all twelve references end with these, each as one valid foreign key.

use std::sync::Arc;

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::{
    context::Context,
    dialect::Dialect,
    foreign_key_fix::{Change, Rule},
    postgres, sqlite,
};

const CHANGES: [Change; 12] = [
    Change { parent: "whatsapp_sessions", ..to_group("whatsapp_groups", "session_id", Rule::Cascade) },
    to_group("notification_campaign_groups", "group_id", Rule::Cascade),
    to_group("webinars", "whatsapp_group_id", Rule::SetNull),
    to_group("webinars", "community_group_id", Rule::SetNull),
    to_group("webinar_whatsapp_groups", "group_id", Rule::Cascade),
    to_group("scheduled_webinar_messages", "group_id", Rule::Cascade),
    to_group("scheduled_whatsapp_messages", "group_id", Rule::Cascade),
    to_group("workshops", "whatsapp_group_id", Rule::SetNull),
    to_group("workshop_whatsapp_groups", "group_id", Rule::Cascade),
    to_group("workshop_group_members", "group_id", Rule::SetNull),
    to_group("whatsapp_group_admins", "group_id", Rule::Cascade),
    to_group("dynamic_links", "whatsapp_group_id", Rule::SetNull),
];

const fn to_group(table: &'static str, column: &'static str, rule: Rule) -> Change {
    Change { table, column, parent: "whatsapp_groups", rule, goal: rule }
}

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000004_second_fix"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Each change has transactions of its own, so that no lock is held for longer than it takes.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let done = match Dialect::of(db)? {
            Dialect::Postgres => postgres::mend(db, &self.0.schema, &CHANGES).await,
            Dialect::Sqlite => sqlite::mend(db, &CHANGES).await,
        };
        done.map_err(|e| self.0.record_error(e))
    }

    /// Nothing: taking the rules away would only bring the fault back.
    async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
