//! Table `notification_campaign_groups`: the groups that each campaign was sent to.

use sea_orm::entity::prelude::*;

use crate::id::Id;

/// A campaign's delivery to one group.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_campaign_groups")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    pub campaign_id: Id,
    pub group_id: Id,
    /// The delivery status. The column may be text or an enum, so it is read as text.
    #[sea_orm(select_as = "text")]
    pub status: String,
    /// Null until the notification has been sent.
    pub sent_at: Option<DateTimeUtc>,
}

/// The table's foreign keys, with the expected ON DELETE actions.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// A deletion of the campaign deletes its deliveries.
    #[sea_orm(
        belongs_to = "super::notification_campaigns::Entity",
        from = "Column::CampaignId",
        to = "super::notification_campaigns::Column::Id",
        on_delete = "Cascade"
    )]
    Campaign,
    /// A deletion of the group deletes the delivery. The column is NOT NULL, so it cannot be set to null instead.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::GroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "Cascade"
    )]
    Group,
}

impl ActiveModelBehavior for ActiveModel {}
