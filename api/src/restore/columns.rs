//! The columns that a restore writes.

use super::archived_table::ArchivedTable;
use crate::catalog::live_table::LiveColumn;
use crate::db::Dialect;

/// Returns the live columns that archived rows are inserted into, each with the position of its archived value.
///
/// A column that no longer exists or that the database now generates is omitted.
/// [`schema_drift`](super::checks::schema_drift) reports the values that would be lost.
pub(super) fn insertable_columns(dialect: Dialect, table: &ArchivedTable) -> Vec<(usize, &LiveColumn)> {
    let (Some(layout), Some(live)) = (table.rows(), &table.live) else { return Vec::new() };
    let columns = layout.columns.iter().enumerate();
    columns
        .filter_map(|(position, archived)| Some((position, live.column(dialect, &archived.name)?)))
        .filter(|(_, column)| !column.generated)
        .collect()
}
