//! `scheduled_whatsapp_messages`: a message to be sent to a group at a set time.

use sea_orm::entity::prelude::*;

use crate::Id;

/// A message to be sent to a group at a set time.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scheduled_whatsapp_messages")]
pub struct Model {
    /// The message's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The group.
    pub group_id: Id,
    /// The text.
    pub body: String,
    /// pending, sent, failed or cancelled.
    #[sea_orm(select_as = "text")]
    pub status: String,
    /// When it is to be sent.
    pub scheduled_for: DateTimeUtc,
}

/// What `scheduled_whatsapp_messages` references, with the rules of deletion as they should be.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// A message cannot be sent without its group.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::GroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "Cascade"
    )]
    Group,
}

impl Related<super::whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Group.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
