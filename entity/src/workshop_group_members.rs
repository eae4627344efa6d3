//! `workshop_group_members`: a person who takes part in a workshop.

use sea_orm::entity::prelude::*;

use crate::Id;

/// A person who takes part in a workshop.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workshop_group_members")]
pub struct Model {
    /// The row's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The workshop.
    pub workshop_id: Id,
    /// The group that the person came through.
    pub group_id: Option<Id>,
    /// The member's phone.
    pub phone: String,
}

/// What `workshop_group_members` references, with the rules of deletion as they should be.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Goes with its workshop.
    #[sea_orm(
        belongs_to = "super::workshops::Entity",
        from = "Column::WorkshopId",
        to = "super::workshops::Column::Id",
        on_delete = "Cascade"
    )]
    Workshop,
    /// The member stays when the group goes.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::GroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "SetNull"
    )]
    Group,
}

impl Related<super::workshops::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Workshop.def()
    }
}

impl Related<super::whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Group.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
