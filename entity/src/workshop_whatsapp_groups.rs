//! `workshop_whatsapp_groups`: a group in which a workshop is announced.

use sea_orm::entity::prelude::*;

use crate::Id;

/// A group in which a workshop is announced.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workshop_whatsapp_groups")]
pub struct Model {
    /// The row's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The workshop.
    pub workshop_id: Id,
    /// The group.
    pub group_id: Id,
}

/// What `workshop_whatsapp_groups` references, with the rules of deletion as they should be.
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
    /// Goes with its group.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::GroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "Cascade"
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
