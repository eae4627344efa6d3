//! Table `workshops`: workshops with their group.

use sea_orm::entity::prelude::*;

use crate::id::Id;

/// A workshop.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workshops")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Id,
    pub title: String,
    /// The workshop's own group.
    pub whatsapp_group_id: Option<Id>,
    /// Null until it has been scheduled.
    pub starts_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
}

/// The table's foreign keys, with the expected ON DELETE actions.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The workshop remains when its group is deleted.
    #[sea_orm(
        belongs_to = "super::whatsapp_groups::Entity",
        from = "Column::WhatsappGroupId",
        to = "super::whatsapp_groups::Column::Id",
        on_delete = "SetNull"
    )]
    Group,
}

impl ActiveModelBehavior for ActiveModel {}
