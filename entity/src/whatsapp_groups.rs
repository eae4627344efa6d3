//! Table `whatsapp_groups`: groups and communities that a session is a member of.

use sea_orm::entity::prelude::*;

use crate::id::Id;

/// A group or community, as one session sees it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "whatsapp_groups")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    pub session_id: Id,
    /// The identifier of the group in the messenger.
    pub group_jid: String,
    pub group_name: String,
    /// The number of members at the last synchronisation.
    pub participant_count: i32,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// The table's foreign keys, with the expected ON DELETE actions.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// A deletion of the session deletes its groups.
    #[sea_orm(
        belongs_to = "super::whatsapp_sessions::Entity",
        from = "Column::SessionId",
        to = "super::whatsapp_sessions::Column::Id",
        on_delete = "Cascade"
    )]
    Session,
}

impl ActiveModelBehavior for ActiveModel {}
