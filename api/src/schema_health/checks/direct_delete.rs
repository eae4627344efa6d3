//! `DIRECT_DELETE_GRANTED`: other roles may delete sessions or groups past this program, without an impact shown and
//! without an audit record (PostgreSQL).

use std::collections::BTreeMap;

use super::Draft;
use crate::db::quote;
use crate::schema_health::catalog_facts::Name;
use crate::schema_health::check_context::Scene;
use crate::schema_health::{FindingCode, Fix, Severity, row_counts};

/// The drafts of this check: one a role.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    let mut by_role: BTreeMap<Option<&str>, Vec<&Name>> = BTreeMap::new();
    for (table, role) in &scene.facts.deleters {
        by_role.entry(role.as_deref()).or_default().push(table);
    }
    by_role.into_iter().map(|(role, tables)| draft(scene, role, &tables)).collect()
}

fn draft(scene: &Scene, role: Option<&str>, tables: &[&Name]) -> Draft {
    let subject = role.unwrap_or("PUBLIC");
    let grantee = role.map_or_else(|| "PUBLIC".to_owned(), quote);
    let names: Vec<&str> = tables.iter().map(|(_, name)| name.as_str()).collect();
    let targets: Vec<String> = tables.iter().map(|(schema, name)| scene.sql_name(schema, name)).collect();
    let id = tables.first().and_then(|(schema, name)| scene.graph.find(schema, name));
    let message = format!(
        "{} may delete from {} directly: such a deletion is shown to nobody before, and recorded nowhere.",
        role.map_or_else(|| "Every role".to_owned(), |role| format!("The role {role}")),
        names.join(" and ")
    );
    let fix = Fix {
        statement: format!("REVOKE DELETE, TRUNCATE ON {} FROM {grantee}", targets.join(", ")),
        consequence: format!(
            "Whoever works as {subject} can no longer delete these rows by itself, and has to come here. Change the \
             programs that do so first."
        ),
    };
    Draft {
        subject: subject.to_owned(),
        rows: id.and_then(|id| row_counts::rows(scene, id)),
        fixes: vec![fix],
        ..Draft::about_table(
            FindingCode::DirectDeleteGranted,
            Severity::Warning,
            id.map_or("whatsapp_sessions", |id| &scene.table(id).display),
            message,
        )
    }
}
