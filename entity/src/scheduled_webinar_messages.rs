//! Table `scheduled_webinar_messages`: messages about webinars, each to be sent to a group at a set time.

use sea_orm::entity::prelude::*;

use crate::id::Id;

/// A message about a webinar, scheduled for one group.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scheduled_webinar_messages")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    pub webinar_id: Id,
    pub group_id: Id,
    pub body: String,
    /// `pending`, `sent`, `failed` or `cancelled`. The column may be text or an enum, so it is read as text.
    #[sea_orm(select_as = "text")]
    pub status: String,
    pub scheduled_for: DateTimeUtc,
}

/// The table's foreign keys, with the expected ON DELETE actions.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// A deletion of the webinar deletes its messages.
    #[sea_orm(
        belongs_to = "super::webinars::Entity",
        from = "Column::WebinarId",
        to = "super::webinars::Column::Id",
        on_delete = "Cascade"
    )]
    Webinar,
    /// A deletion of the group deletes its messages: they can no longer be sent.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::GroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "Cascade"
    )]
    Group,
}

impl ActiveModelBehavior for ActiveModel {}
