//! `notification_campaigns`: a notification sent to many groups.

use sea_orm::entity::prelude::*;

use crate::Id;

/// A notification sent to many groups.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_campaigns")]
pub struct Model {
    /// The campaign's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The campaign's name.
    pub name: String,
    /// When the row was written.
    pub created_at: DateTimeUtc,
}

/// What references `notification_campaigns`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The groups it was sent to.
    #[sea_orm(has_many = "super::notification_campaign_groups::Entity")]
    Groups,
}

impl Related<super::notification_campaign_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Groups.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
