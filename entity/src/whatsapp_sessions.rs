//! Table `whatsapp_sessions`: messenger accounts that the product controls or tried to pair.

use sea_orm::entity::prelude::*;

use crate::id::Id;

/// A messenger account.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "whatsapp_sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    pub session_name: String,
    /// The gateway's status text, which [`crate::SessionStatus`] interprets. The column may be text or an enum, so it
    /// is read as text.
    #[sea_orm(select_as = "text")]
    pub status: String,
    /// Null until a phone has been paired.
    pub phone_number: Option<String>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// The table has no foreign keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
