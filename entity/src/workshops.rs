//! `workshops`: a workshop, with the group that belongs to it.

use sea_orm::entity::prelude::*;

use crate::Id;

/// A workshop, with the group that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workshops")]
pub struct Model {
    /// The workshop's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The workshop's title.
    pub title: String,
    /// The workshop's own group.
    pub whatsapp_group_id: Option<Id>,
    /// When it starts; null while unplanned.
    pub starts_at: Option<DateTimeUtc>,
    /// When the row was written.
    pub created_at: DateTimeUtc,
}

/// What `workshops` references, with the rules of deletion as they should be, and what references it.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The workshop stays when its group goes.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::WhatsappGroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "SetNull"
    )]
    Group,
    /// The groups in which it is announced.
    #[sea_orm(has_many = "super::workshop_whatsapp_groups::Entity")]
    Groups,
    /// Who takes part.
    #[sea_orm(has_many = "super::workshop_group_members::Entity")]
    Members,
}

impl Related<super::whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Group.def()
    }
}

impl Related<super::workshop_whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Groups.def()
    }
}

impl Related<super::workshop_group_members::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Members.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
