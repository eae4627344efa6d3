//! Table `webinar_whatsapp_groups`: the groups in which each webinar is announced.

use sea_orm::entity::prelude::*;

use crate::id::Id;

/// A webinar's announcement in one group.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webinar_whatsapp_groups")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    pub webinar_id: Id,
    pub group_id: Id,
    pub created_at: DateTimeUtc,
}

/// The table's foreign keys, with the expected ON DELETE actions.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// A deletion of the webinar deletes its announcements.
    #[sea_orm(
        belongs_to = "super::webinars::Entity",
        from = "Column::WebinarId",
        to = "super::webinars::Column::Id",
        on_delete = "Cascade"
    )]
    Webinar,
    /// A deletion of the group deletes the announcement.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::GroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "Cascade"
    )]
    Group,
}

impl ActiveModelBehavior for ActiveModel {}
