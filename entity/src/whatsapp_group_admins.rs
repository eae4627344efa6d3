//! `whatsapp_group_admins`: a person who administers a group.

use sea_orm::entity::prelude::*;

use crate::Id;

/// A person who administers a group.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "whatsapp_group_admins")]
pub struct Model {
    /// The row's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The group.
    pub group_id: Id,
    /// The administrator's phone.
    pub phone: String,
    /// When the row was written.
    pub created_at: DateTimeUtc,
}

/// What `whatsapp_group_admins` references, with the rules of deletion as they should be.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Administrators go with their group.
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
