//! Table `webinars`: webinars with their group and community.

use sea_orm::entity::prelude::*;

use crate::id::Id;

/// A webinar.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webinars")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    pub title: String,
    /// The webinar's own group.
    pub whatsapp_group_id: Option<Id>,
    /// The community that the webinar is held for.
    pub community_group_id: Option<Id>,
    /// Null until it has been scheduled.
    pub starts_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

/// The table's foreign keys, with the expected ON DELETE actions.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The webinar remains when its group is deleted.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::WhatsappGroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "SetNull"
    )]
    Group,
    /// The webinar remains when its community is deleted.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::CommunityGroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "SetNull"
    )]
    CommunityGroup,
}

impl ActiveModelBehavior for ActiveModel {}
