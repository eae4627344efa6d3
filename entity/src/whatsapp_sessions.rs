//! `whatsapp_sessions`: one account of the messenger that the product drives, or tried to pair.

use sea_orm::entity::prelude::*;

use crate::Id;

/// One account of the messenger that the product drives, or tried to pair.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "whatsapp_sessions")]
pub struct Model {
    /// The session's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The name that operators gave it.
    pub session_name: String,
    /// The status as the gateway wrote it: text or an enum, so it is read as text; see [`crate::SessionStatus`].
    #[sea_orm(select_as = "text")]
    pub status: String,
    /// The paired phone; null until one has been paired.
    pub phone_number: Option<String>,
    /// When the session was made.
    pub created_at: DateTimeUtc,
    /// When its row last changed.
    pub updated_at: DateTimeUtc,
}

/// What references `whatsapp_sessions`.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The groups that this session is in.
    #[sea_orm(has_many = "super::whatsapp_groups::Entity")]
    Groups,
}

impl Related<super::whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Groups.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
