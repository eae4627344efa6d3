//! `UNVALIDATED_FOREIGN_KEY`: a key that was added NOT VALID and never checked against the rows that were there.

use super::Draft;
use crate::catalog::ForeignKey;
use crate::db::quote;
use crate::schema_health::check_context::Scene;
use crate::schema_health::{FindingCode, Fix, Severity, row_counts};

/// The drafts of this check.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    scene.enforced_keys().filter(|key| !key.validated).map(|key| draft(scene, key)).collect()
}

fn draft(scene: &Scene, key: &ForeignKey) -> Draft {
    let (table, parent) = (&scene.table(key.table).display, &scene.table(key.referenced).display);
    let message = format!(
        "The key {} has not been checked against the rows that {table} already had: some may refer to rows of {parent} \
         that do not exist.",
        key.constraint
    );
    let statement = format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", scene.sql_carrier(key), quote(&key.constraint));
    let consequence = format!("No row changes. It fails while rows of {table} refer to rows that do not exist.");
    Draft {
        rows: row_counts::referring(scene, key),
        fixes: vec![Fix { statement, consequence }],
        ..Draft::about_key(scene, FindingCode::UnvalidatedForeignKey, Severity::Warning, key, message)
    }
}
