//! The diagnosis of a failed restore.

use super::{missing_parents, schema_drift, unique_keys};
use crate::error::Error;
use crate::restore::context::RestoreContext;
use crate::restore::model::Conflict;
use crate::restore::target_rows::TargetRows;

/// Returns all conflicts, the first 1,000 of each kind. The diagnosis costs as much as the restore, so it runs only
/// after a failed attempt.
pub(in crate::restore) async fn all_conflicts(context: &RestoreContext<'_>) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for target in target_rows(context) {
        conflicts.extend(unique_keys::find(context, &target).await?);
    }
    conflicts.extend(missing_parents(context).await?);
    for table in context.tables {
        conflicts.extend(schema_drift::unreadable_values(context, table).await?);
    }
    Ok(conflicts)
}

/// Returns the rows that refer to a parent row which neither exists nor is restored with them.
pub(in crate::restore) async fn missing_parents(context: &RestoreContext<'_>) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for target in target_rows(context) {
        conflicts.extend(missing_parents::find(context, &target).await?);
    }
    Ok(conflicts)
}

fn target_rows<'a>(context: &RestoreContext<'a>) -> impl Iterator<Item = TargetRows<'a>> {
    let (dialect, unarchived) = (context.dialect(), context.unarchived_tables);
    context.tables.iter().filter_map(move |table| TargetRows::new(dialect, table, unarchived))
}
