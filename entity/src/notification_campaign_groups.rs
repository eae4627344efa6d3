//! `notification_campaign_groups`: what one campaign sent to one group.

use sea_orm::entity::prelude::*;

use crate::Id;

/// What one campaign sent to one group.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_campaign_groups")]
pub struct Model {
    /// The row's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The campaign.
    pub campaign_id: Id,
    /// The group.
    pub group_id: Id,
    /// Whether it was sent.
    #[sea_orm(select_as = "text")]
    pub status: String,
    /// When it was sent; null before.
    pub sent_at: Option<DateTimeUtc>,
}

/// What `notification_campaign_groups` references, with the rules of deletion as they should be.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The record of sending goes with its campaign.
    #[sea_orm(
        belongs_to = "super::notification_campaigns::Entity",
        from = "Column::CampaignId",
        to = "super::notification_campaigns::Column::Id",
        on_delete = "Cascade"
    )]
    Campaign,
    /// The record of sending goes with its group: the column takes no null, so the row cannot stay.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::GroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "Cascade"
    )]
    Group,
}

impl Related<super::notification_campaigns::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Campaign.def()
    }
}

impl Related<super::whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Group.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
