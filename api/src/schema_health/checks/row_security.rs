//! `ROW_SECURITY_HIDES_ROWS`: the current role can neither count nor delete rows that row-level security hides from it.

use crate::db::quote;
use crate::schema_health::check_context::CheckContext;
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Fix, Severity};

/// Returns a draft for each affected table with row-level security.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    context
        .affected_tables()
        .into_iter()
        .filter(|table| context.table(*table).row_security)
        .map(|table| draft(context, table))
        .collect()
}

fn draft(context: &CheckContext, id: usize) -> FindingDraft {
    let table = context.table(id);
    let message = format!(
        "Row-level security applies to the role {} on {}: rows may be hidden, so no impact can be exact, and deletions are refused.",
        context.facts.role, table.display
    );
    let mut fixes = Vec::new();
    if context.facts.owned.contains(&(table.schema.clone(), table.name.clone())) {
        fixes.push(Fix {
            statement: format!("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", context.sql_table(id)),
            consequence: "The table's owner sees all its rows; the policies still apply to all other roles.".to_owned(),
        });
    }
    fixes.push(Fix {
        statement: format!("ALTER ROLE {} BYPASSRLS", quote(&context.facts.role)),
        consequence: "This role sees all rows of all tables that it may read. Only a superuser can grant that."
            .to_owned(),
    });
    FindingDraft {
        fixes,
        ..FindingDraft::about_table(FindingCode::RowSecurityHidesRows, Severity::Error, &table.display, message)
    }
}
