//! `whatsapp_groups`: a group (or community) of the messenger that a session is in.

use sea_orm::entity::prelude::*;

use crate::Id;

/// A group (or community) of the messenger that a session is in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "whatsapp_groups")]
pub struct Model {
    /// The group's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The session that sees the group.
    pub session_id: Id,
    /// The messenger's own address of the group.
    pub group_jid: String,
    /// The group's name, as last seen.
    pub group_name: String,
    /// People in the group, as last counted.
    pub participant_count: i32,
    /// When the group was first seen.
    pub created_at: DateTimeUtc,
    /// When its row last changed.
    pub updated_at: DateTimeUtc,
}

/// What `whatsapp_groups` references, with the rules of deletion as they should be, and what references it.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// A group goes with its session.
    #[sea_orm(
        belongs_to = "super::whatsapp_sessions::Entity",
        from = "Column::SessionId",
        to = "super::whatsapp_sessions::Column::Id",
        on_delete = "Cascade"
    )]
    Session,
    /// Who administers the group.
    #[sea_orm(has_many = "super::whatsapp_group_admins::Entity")]
    Admins,
    /// What campaigns sent to the group.
    #[sea_orm(has_many = "super::notification_campaign_groups::Entity")]
    Campaigns,
    /// Webinars whose own group this is.
    #[sea_orm(has_many = "super::webinars::Entity")]
    Webinars,
    /// Webinars whose community this is.
    #[sea_orm(has_many = "super::webinars::Entity", via_rel = "Relation::CommunityGroup")]
    CommunityWebinars,
    /// Webinars that are announced in the group.
    #[sea_orm(has_many = "super::webinar_whatsapp_groups::Entity")]
    WebinarGroups,
    /// Webinar messages to the group.
    #[sea_orm(has_many = "super::scheduled_webinar_messages::Entity")]
    WebinarMessages,
    /// Messages to the group.
    #[sea_orm(has_many = "super::scheduled_whatsapp_messages::Entity")]
    Messages,
    /// Workshops whose own group this is.
    #[sea_orm(has_many = "super::workshops::Entity")]
    Workshops,
    /// Workshops that are announced in the group.
    #[sea_orm(has_many = "super::workshop_whatsapp_groups::Entity")]
    WorkshopGroups,
    /// Workshop members who came through the group.
    #[sea_orm(has_many = "super::workshop_group_members::Entity")]
    WorkshopMembers,
    /// Links that lead to the group.
    #[sea_orm(has_many = "super::dynamic_links::Entity")]
    Links,
}

impl Related<super::whatsapp_sessions::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Session.def()
    }
}

impl Related<super::whatsapp_group_admins::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Admins.def()
    }
}

impl Related<super::notification_campaign_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Campaigns.def()
    }
}

impl Related<super::webinars::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Webinars.def()
    }
}

impl Related<super::webinar_whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::WebinarGroups.def()
    }
}

impl Related<super::scheduled_webinar_messages::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::WebinarMessages.def()
    }
}

impl Related<super::scheduled_whatsapp_messages::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Messages.def()
    }
}

impl Related<super::workshops::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Workshops.def()
    }
}

impl Related<super::workshop_whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::WorkshopGroups.def()
    }
}

impl Related<super::workshop_group_members::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::WorkshopMembers.def()
    }
}

impl Related<super::dynamic_links::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Links.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
