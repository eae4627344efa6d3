//! `UNINDEXED_FOREIGN_KEY`: without an index every deleted parent row scans the whole referring table.

use crate::catalog::ForeignKey;
use crate::db::{Dialect, quote};
use crate::schema_health::check_context::{CheckContext, column_list};
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Fix, Severity};
use crate::schema_health::row_counts;

/// The longest name of an index; PostgreSQL truncates longer ones.
const MAX_NAME_LENGTH: usize = 63;

/// Returns a draft for each foreign key without an index.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    context.enforced_keys().filter(|key| !key.indexed).map(|key| draft(context, key)).collect()
}

fn draft(context: &CheckContext, key: &ForeignKey) -> FindingDraft {
    let (table, parent) = (&context.table(key.table).display, &context.table(key.referenced).display);
    let columns = key.columns.join(", ");
    let message =
        format!("No index of {table} leads with {columns}: every row deleted from {parent} scans all rows of {table}.");
    FindingDraft {
        rows: row_counts::rows(context, key.table),
        fixes: vec![Fix { statement: create_index(context, key), consequence: consequence(context, key) }],
        ..FindingDraft::about_key(context, FindingCode::UnindexedForeignKey, Severity::Warning, key, message)
    }
}

fn create_index(context: &CheckContext, key: &ForeignKey) -> String {
    let (carrier, columns) = (context.sql_carrier(key), column_list(&key.columns));
    if context.dialect == Dialect::Postgres && can_build_concurrently(context, key) {
        // PostgreSQL chooses an unused name.
        return format!("CREATE INDEX CONCURRENTLY ON {carrier} ({columns})");
    }
    if context.dialect == Dialect::Postgres {
        return format!("CREATE INDEX ON {carrier} ({columns})");
    }
    let name: String = format!("{}_{}_idx", context.table(key.table).name, key.columns.join("_"))
        .chars()
        .take(MAX_NAME_LENGTH)
        .collect();
    format!("CREATE INDEX {} ON {carrier} ({columns})", quote(&name))
}

/// Returns whether PostgreSQL can build the index without locking the table; it cannot for a partitioned table.
fn can_build_concurrently(context: &CheckContext, key: &ForeignKey) -> bool {
    key.scope.is_some() || !context.table(key.table).partitioned
}

fn consequence(context: &CheckContext, key: &ForeignKey) -> String {
    if context.dialect == Dialect::Postgres && can_build_concurrently(context, key) {
        "No row changes, and writes to the table continue; the statement cannot run inside a transaction.".to_owned()
    } else {
        "No row changes; writes to the table wait until the index is built.".to_owned()
    }
}
