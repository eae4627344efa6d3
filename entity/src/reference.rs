//! The foreign keys that the entities declare.

use sea_orm::{EntityTrait, ForeignKeyAction, Iterable, RelationDef, RelationTrait, sea_query::TableRef};

/// What happens to a row when the row that it references is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnDelete {
    /// It is deleted too.
    Cascade,
    /// It stays, and its reference becomes null.
    SetNull,
    /// It stays, and its reference becomes the column's default.
    SetDefault,
    /// The deletion is refused, at once.
    Restrict,
    /// The deletion is refused, unless the reference is gone by the end of the statement.
    NoAction,
}

/// A foreign key as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredReference {
    /// The table that holds the reference.
    pub table: String,
    /// Its referencing columns, in the key's order.
    pub columns: Vec<String>,
    /// The table that is referenced.
    pub referenced_table: String,
    /// What a deletion over there does here.
    pub on_delete: OnDelete,
}

/// Every foreign key that the entities' relations declare, table by table in the order of
/// [`BUSINESS_TABLES`](crate::BUSINESS_TABLES).
#[must_use]
pub fn declared_references() -> Vec<DeclaredReference> {
    [
        of::<crate::whatsapp_sessions::Entity>(),
        of::<crate::whatsapp_groups::Entity>(),
        of::<crate::whatsapp_group_admins::Entity>(),
        of::<crate::notification_campaigns::Entity>(),
        of::<crate::notification_campaign_groups::Entity>(),
        of::<crate::webinars::Entity>(),
        of::<crate::webinar_whatsapp_groups::Entity>(),
        of::<crate::scheduled_webinar_messages::Entity>(),
        of::<crate::scheduled_whatsapp_messages::Entity>(),
        of::<crate::workshops::Entity>(),
        of::<crate::workshop_whatsapp_groups::Entity>(),
        of::<crate::workshop_group_members::Entity>(),
        of::<crate::dynamic_links::Entity>(),
    ]
    .concat()
}

fn of<E: EntityTrait>() -> Vec<DeclaredReference> {
    E::Relation::iter()
        .map(|relation| relation.def())
        // sea-orm calls the referenced side (has_one, has_many) the owner.
        .filter(|def| !def.is_owner)
        .map(|def| declared(&def))
        .collect()
}

fn declared(def: &RelationDef) -> DeclaredReference {
    DeclaredReference {
        table: table_name(&def.from_tbl),
        columns: def.from_col.iter().map(ToString::to_string).collect(),
        referenced_table: table_name(&def.to_tbl),
        on_delete: match def.on_delete {
            Some(ForeignKeyAction::Cascade) => OnDelete::Cascade,
            Some(ForeignKeyAction::SetNull) => OnDelete::SetNull,
            Some(ForeignKeyAction::SetDefault) => OnDelete::SetDefault,
            Some(ForeignKeyAction::Restrict) => OnDelete::Restrict,
            // The database's own default.
            _ => OnDelete::NoAction,
        },
    }
}

fn table_name(table: &TableRef) -> String {
    table.sea_orm_table().to_string()
}

#[cfg(test)]
mod tests {
    use super::{OnDelete, declared_references};
    use crate::BUSINESS_TABLES;

    #[test]
    fn groups_are_referenced_eleven_times_and_by_the_rules_of_the_goal() {
        let groups: Vec<_> = declared_references()
            .into_iter()
            .filter(|r| r.referenced_table == "whatsapp_groups")
            .map(|r| (r.table, r.columns.join(","), r.on_delete))
            .collect();
        let rows: Vec<_> = groups.iter().map(|(t, c, r)| (t.as_str(), c.as_str(), *r)).collect();
        assert_eq!(
            rows,
            [
                ("whatsapp_group_admins", "group_id", OnDelete::Cascade),
                ("notification_campaign_groups", "group_id", OnDelete::Cascade),
                ("webinars", "whatsapp_group_id", OnDelete::SetNull),
                ("webinars", "community_group_id", OnDelete::SetNull),
                ("webinar_whatsapp_groups", "group_id", OnDelete::Cascade),
                ("scheduled_webinar_messages", "group_id", OnDelete::Cascade),
                ("scheduled_whatsapp_messages", "group_id", OnDelete::Cascade),
                ("workshops", "whatsapp_group_id", OnDelete::SetNull),
                ("workshop_whatsapp_groups", "group_id", OnDelete::Cascade),
                ("workshop_group_members", "group_id", OnDelete::SetNull),
                ("dynamic_links", "whatsapp_group_id", OnDelete::SetNull),
            ]
        );
    }

    #[test]
    fn every_reference_is_between_business_tables() {
        for reference in declared_references() {
            assert!(BUSINESS_TABLES.contains(&reference.table.as_str()), "{reference:?}");
            assert!(BUSINESS_TABLES.contains(&reference.referenced_table.as_str()), "{reference:?}");
        }
    }
}
