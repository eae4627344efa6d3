//! `dynamic_links`: a short link that leads to a group.

use sea_orm::entity::prelude::*;

use crate::Id;

/// A short link that leads to a group.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dynamic_links")]
pub struct Model {
    /// The link's own id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The link's path; unique.
    #[sea_orm(unique)]
    pub slug: String,
    /// Where it leads.
    pub target_url: String,
    /// The group that it leads to.
    pub whatsapp_group_id: Option<Id>,
    /// When the row was written.
    pub created_at: DateTimeUtc,
}

/// What `dynamic_links` references, with the rules of deletion as they should be.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The link stays when its group goes.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::WhatsappGroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "SetNull"
    )]
    Group,
}

impl Related<super::whatsapp_groups::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Group.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
