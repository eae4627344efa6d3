//! `ROW_SECURITY_HIDES_ROWS`: what this role cannot see it can neither count nor delete.

use super::Draft;
use crate::db::quote;
use crate::schema_health::check_context::Scene;
use crate::schema_health::{FindingCode, Fix, Severity};

/// The drafts of this check.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    scene
        .touched()
        .into_iter()
        .filter(|table| scene.table(*table).row_security)
        .map(|table| draft(scene, table))
        .collect()
}

fn draft(scene: &Scene, id: usize) -> Draft {
    let table = scene.table(id);
    let message = format!(
        "Row-level security applies to the role {} on {}: rows may be hidden, so no impact can be exact, and deletions are refused.",
        scene.facts.role, table.display
    );
    let mut fixes = Vec::new();
    if scene.facts.owned.contains(&(table.schema.clone(), table.name.clone())) {
        fixes.push(Fix {
            statement: format!("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", scene.sql_table(id)),
            consequence: "The table's owner sees all its rows; the policies still hold for everybody else.".to_owned(),
        });
    }
    fixes.push(Fix {
        statement: format!("ALTER ROLE {} BYPASSRLS", quote(&scene.facts.role)),
        consequence: "This role sees all rows of all tables that it may read. Only a superuser can grant that."
            .to_owned(),
    });
    Draft { fixes, ..Draft::about_table(FindingCode::RowSecurityHidesRows, Severity::Error, &table.display, message) }
}
