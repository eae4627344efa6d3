//! Table `workshop_group_members`: participants of workshops.

use sea_orm::entity::prelude::*;

use crate::id::Id;

/// A participant of a workshop.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workshop_group_members")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    pub workshop_id: Id,
    /// The group through which the participant joined.
    pub group_id: Option<Id>,
    pub phone: String,
}

/// The table's foreign keys, with the expected ON DELETE actions.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// A deletion of the workshop deletes its participants.
    #[sea_orm(
        belongs_to = "super::workshops::Entity",
        from = "Column::WorkshopId",
        to = "super::workshops::Column::Id",
        on_delete = "Cascade"
    )]
    Workshop,
    /// The participant remains when the group is deleted.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::GroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "SetNull"
    )]
    Group,
}

impl ActiveModelBehavior for ActiveModel {}
