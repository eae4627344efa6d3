//! `UNVALIDATED_FOREIGN_KEY`: a foreign key was added NOT VALID, and the existing rows have never been checked.

use crate::catalog::ForeignKey;
use crate::db::quote;
use crate::schema_health::check_context::CheckContext;
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Fix, Severity};
use crate::schema_health::row_counts;

/// Returns a draft for each foreign key that is not validated.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    context.enforced_keys().filter(|key| !key.validated).map(|key| draft(context, key)).collect()
}

fn draft(context: &CheckContext, key: &ForeignKey) -> FindingDraft {
    let (table, parent) = (&context.table(key.table).display, &context.table(key.referenced).display);
    let message = format!(
        "The key {} has not been checked against the rows that {table} already had: some may refer to rows of {parent} \
         that do not exist.",
        key.constraint
    );
    let statement = format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", context.sql_carrier(key), quote(&key.constraint));
    let consequence =
        format!("No row changes. The statement fails while rows of {table} refer to rows that do not exist.");
    FindingDraft {
        rows: row_counts::referring(context, key),
        fixes: vec![Fix { statement, consequence }],
        ..FindingDraft::about_key(context, FindingCode::UnvalidatedForeignKey, Severity::Warning, key, message)
    }
}
