//! `DIRECT_DELETE_GRANTED`: other roles may delete sessions or groups without this program, and so without a preview
//! and an audit record (PostgreSQL).

use std::collections::BTreeMap;

use crate::db::quote;
use crate::schema_health::catalog_facts::TableName;
use crate::schema_health::check_context::CheckContext;
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Fix, Severity};
use crate::schema_health::row_counts;

/// Returns a draft for each role.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    let mut by_role: BTreeMap<Option<&str>, Vec<&TableName>> = BTreeMap::new();
    for (table, role) in &context.facts.deleters {
        by_role.entry(role.as_deref()).or_default().push(table);
    }
    by_role.into_iter().map(|(role, tables)| draft(context, role, &tables)).collect()
}

fn draft(context: &CheckContext, role: Option<&str>, tables: &[&TableName]) -> FindingDraft {
    let subject = role.unwrap_or("PUBLIC");
    let grantee = role.map_or_else(|| "PUBLIC".to_owned(), quote);
    let names: Vec<&str> = tables.iter().map(|(_, name)| name.as_str()).collect();
    let targets: Vec<String> = tables.iter().map(|(schema, name)| context.sql_name(schema, name)).collect();
    let id = tables.first().and_then(|(schema, name)| context.graph.find(schema, name));
    let message = format!(
        "{} may delete from {} directly: such a deletion has no preview and no audit record.",
        role.map_or_else(|| "Every role".to_owned(), |role| format!("The role {role}")),
        names.join(" and ")
    );
    let fix = Fix {
        statement: format!("REVOKE DELETE, TRUNCATE ON {} FROM {grantee}", targets.join(", ")),
        consequence: format!(
            "Programs that connect as {subject} can no longer delete these rows, and have to use Session Admin. \
             Change those programs first."
        ),
    };
    FindingDraft {
        subject: subject.to_owned(),
        rows: id.and_then(|id| row_counts::rows(context, id)),
        fixes: vec![fix],
        ..FindingDraft::about_table(
            FindingCode::DirectDeleteGranted,
            Severity::Warning,
            id.map_or("whatsapp_sessions", |id| &context.table(id).display),
            message,
        )
    }
}
