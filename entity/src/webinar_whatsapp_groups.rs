//! `webinar_whatsapp_groups`: a group in which a webinar is announced.

use sea_orm::entity::prelude::*;

use crate::Id;

/// A group in which a webinar is announced.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webinar_whatsapp_groups")]
pub struct Model {
    /// The row's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The webinar.
    pub webinar_id: Id,
    /// The group.
    pub group_id: Id,
    /// When the row was written.
    pub created_at: DateTimeUtc,
}

/// What `webinar_whatsapp_groups` references, with the rules of deletion as they should be.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Goes with its webinar.
    #[sea_orm(
        belongs_to = "super::webinars::Entity",
        from = "Column::WebinarId",
        to = "super::webinars::Column::Id",
        on_delete = "Cascade"
    )]
    Webinar,
    /// Goes with its group.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::GroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "Cascade"
    )]
    Group,
}

impl Related<super::webinars::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Webinar.def()
    }
}

impl Related<super::whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Group.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
