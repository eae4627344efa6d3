//! Table `dynamic_links`: short links to groups.

use sea_orm::entity::prelude::*;

use crate::id::Id;

/// A short link to a group.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dynamic_links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    /// The link's path.
    #[sea_orm(unique)]
    pub slug: String,
    pub target_url: String,
    pub whatsapp_group_id: Option<Id>,
    pub created_at: DateTimeUtc,
}

/// The table's foreign keys, with the expected ON DELETE actions.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The link remains when its group is deleted.
    ///
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::WhatsappGroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "SetNull"
    )]
    Group,
}

impl ActiveModelBehavior for ActiveModel {}
