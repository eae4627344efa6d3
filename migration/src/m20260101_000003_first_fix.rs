//! The first fix, as it was made: rules for the five references that had none.
//!
//! It gave `notification_campaign_groups.group_id` SET NULL, a column that takes no null, so the deletion was refused as
//! before, only later. That is history; the second fix mends it. A database that is further along is left as it is.

use std::sync::Arc;

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::{
    context::Context,
    dialect::Dialect,
    foreign_key_fix::{Change, Rule},
    postgres, sqlite,
};

const CHANGES: [Change; 5] = [
    to_group("notification_campaign_groups", "group_id", Rule::SetNull, Rule::Cascade),
    to_group("webinars", "whatsapp_group_id", Rule::SetNull, Rule::SetNull),
    to_group("webinars", "community_group_id", Rule::SetNull, Rule::SetNull),
    to_group("webinar_whatsapp_groups", "group_id", Rule::Cascade, Rule::Cascade),
    to_group("scheduled_webinar_messages", "group_id", Rule::Cascade, Rule::Cascade),
];

const fn to_group(table: &'static str, column: &'static str, rule: Rule, goal: Rule) -> Change {
    Change { table, column, parent: "whatsapp_groups", rule, goal }
}

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20260101_000003_first_fix"
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
