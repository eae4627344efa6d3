//! The foreign keys that the entities declare.

use sea_orm::{EntityTrait, ForeignKeyAction, Iterable, RelationDef, RelationTrait, sea_query::TableRef};

use crate::{
    dynamic_links, notification_campaign_groups, notification_campaigns, scheduled_webinar_messages,
    scheduled_whatsapp_messages, webinar_whatsapp_groups, webinars, whatsapp_group_admins, whatsapp_groups,
    whatsapp_sessions, workshop_group_members, workshop_whatsapp_groups, workshops,
};

/// The ON DELETE action of a foreign key, which is applied to a row when the row that it references is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnDelete {
    /// Deletes the referencing row too.
    Cascade,
    /// Sets the reference to null.
    SetNull,
    /// Sets the reference to the column's default.
    SetDefault,
    /// Rejects the deletion immediately.
    Restrict,
    /// Rejects the deletion at the end of the statement, or of the transaction if the foreign key is deferred, if a
    /// reference still exists.
    NoAction,
}

/// A foreign key as an entity declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredReference {
    /// The referencing table.
    pub table: String,
    /// The referencing columns, in the key's order.
    pub columns: Vec<String>,
    pub referenced_table: String,
    pub on_delete: OnDelete,
}

/// Returns the foreign keys of all entities, in the order of [`BUSINESS_TABLES`](crate::BUSINESS_TABLES).
#[must_use]
pub fn declared_references() -> Vec<DeclaredReference> {
    [
        references_of::<whatsapp_sessions::Entity>(),
        references_of::<whatsapp_groups::Entity>(),
        references_of::<whatsapp_group_admins::Entity>(),
        references_of::<notification_campaigns::Entity>(),
        references_of::<notification_campaign_groups::Entity>(),
        references_of::<webinars::Entity>(),
        references_of::<webinar_whatsapp_groups::Entity>(),
        references_of::<scheduled_webinar_messages::Entity>(),
        references_of::<scheduled_whatsapp_messages::Entity>(),
        references_of::<workshops::Entity>(),
        references_of::<workshop_whatsapp_groups::Entity>(),
        references_of::<workshop_group_members::Entity>(),
        references_of::<dynamic_links::Entity>(),
    ]
    .concat()
}

fn references_of<E: EntityTrait>() -> Vec<DeclaredReference> {
    E::Relation::iter().map(|relation| declared_reference(&relation.def())).collect()
}

fn declared_reference(relation: &RelationDef) -> DeclaredReference {
    DeclaredReference {
        table: table_name(&relation.from_tbl),
        columns: relation.from_col.iter().map(ToString::to_string).collect(),
        referenced_table: table_name(&relation.to_tbl),
        on_delete: match relation.on_delete {
            Some(ForeignKeyAction::Cascade) => OnDelete::Cascade,
            Some(ForeignKeyAction::SetNull) => OnDelete::SetNull,
            Some(ForeignKeyAction::SetDefault) => OnDelete::SetDefault,
            Some(ForeignKeyAction::Restrict) => OnDelete::Restrict,
            // NO ACTION is the default of both databases.
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
    use crate::business_tables::BUSINESS_TABLES;

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
