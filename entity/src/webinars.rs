//! `webinars`: a webinar, with the groups that belong to it.

use sea_orm::entity::prelude::*;

use crate::Id;

/// A webinar, with the groups that belong to it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webinars")]
pub struct Model {
    /// The webinar's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The webinar's title.
    pub title: String,
    /// The webinar's own group.
    pub whatsapp_group_id: Option<Id>,
    /// The community it is held for.
    pub community_group_id: Option<Id>,
    /// When it starts; null while unplanned.
    pub starts_at: Option<DateTimeUtc>,
    /// When the row was written.
    pub created_at: DateTimeUtc,
}

/// What `webinars` references, with the rules of deletion as they should be, and what references it.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The webinar stays when its group goes.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::WhatsappGroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "SetNull"
    )]
    Group,
    /// The webinar stays when its community goes.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::CommunityGroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "SetNull"
    )]
    CommunityGroup,
    /// The groups in which it is announced.
    #[sea_orm(has_many = "super::webinar_whatsapp_groups::Entity")]
    Groups,
    /// The messages that announce it.
    #[sea_orm(has_many = "super::scheduled_webinar_messages::Entity")]
    Messages,
}

impl Related<super::whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Group.def()
    }
}

impl Related<super::webinar_whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Groups.def()
    }
}

impl Related<super::scheduled_webinar_messages::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Messages.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
