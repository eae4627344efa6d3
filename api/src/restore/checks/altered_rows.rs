//! The comparison of restored rows with the archive, because a trigger may have changed them.

use sea_orm::ConnectionTrait;

use crate::catalog::live_table::{LiveColumn, LiveTable};
use crate::db::{Dialect, quote};
use crate::error::Error;
use crate::restore::archived_table::ArchivedTable;
use crate::restore::columns::insertable_columns;
use crate::restore::conflict::table_conflict;
use crate::restore::context::RestoreContext;
use crate::restore::model::Conflict;
use crate::restore::references::{cast_to_column, equals_archived};
use crate::wording::counted;

/// Returns a conflict for each table whose restored rows differ from the archive.
///
/// Only tables with triggers are compared, because the comparison costs as much as the restore.
pub(in crate::restore) async fn find(context: &RestoreContext<'_>) -> Result<Vec<Conflict>, Error> {
    let dialect = context.dialect();
    let mut conflicts = Vec::new();
    for table in context.tables.iter().filter(|table| table.rows().is_some()) {
        let Some(live) = table.live.as_ref().filter(|live| live.triggers) else { continue };
        let sql = count_by_key(dialect, table, live).unwrap_or_else(|| count_as_set(dialect, table, live));
        let row = context.tx.query_one_raw(dialect.statement(sql, [])).await?;
        let altered: i64 = row.map(|row| row.try_get("", "row_count")).transpose()?.unwrap_or_default();
        if altered > 0 {
            let message = format!(
                "{} would be restored with other values than archived, probably by a trigger. Disable the trigger, \
                 then restore again.",
                counted(altered, "row", "rows")
            );
            conflicts.push(table_conflict(&table.display, message));
        }
    }
    Ok(conflicts)
}

/// Returns SQL that counts the archived rows without an equal live row, matched by key, or `None` if no key identifies
/// the rows.
fn count_by_key(dialect: Dialect, table: &ArchivedTable, live: &LiveTable) -> Option<String> {
    let columns = insertable_columns(dialect, table);
    let key = table.rows().map(|layout| layout.key.as_slice()).filter(|key| !key.is_empty())?;
    let key = key.iter().map(|position| {
        let (_, column) = columns.iter().find(|(other, _)| other == position)?;
        let value = cast_to_column(dialect, &ArchivedTable::value(dialect, *position), column);
        Some(format!("live.{} {} {value}", quote(&column.name), column.equals))
    });
    let mut conditions: Vec<String> = key.collect::<Option<_>>()?;
    conditions.extend(
        columns.iter().map(|(position, column)| equals(dialect, &ArchivedTable::value(dialect, *position), column)),
    );
    Some(format!(
        "SELECT count(*) AS row_count {} AND NOT EXISTS (SELECT 1 FROM {} live WHERE {})",
        table.rows_clause(dialect),
        live.relation(dialect),
        conditions.join(" AND ")
    ))
}

fn equals(dialect: Dialect, archived: &str, column: &LiveColumn) -> String {
    let value = format!("live.{}", quote(&column.name));
    match dialect {
        Dialect::Postgres => equals_archived(&value, archived, column),
        // A unary plus removes the column's type affinity from the comparison.
        Dialect::Sqlite => format!("+{value} COLLATE BINARY IS +{archived}"),
    }
}

/// Returns SQL that counts the archived rows that are missing from the set of live rows.
fn count_as_set(dialect: Dialect, table: &ArchivedTable, live: &LiveTable) -> String {
    let columns = insertable_columns(dialect, table);
    let comparable = |column: &LiveColumn, value: &str| {
        if dialect == Dialect::Postgres { column.text(value) } else { format!("+{value}") }
    };
    let archived = columns.iter().map(|(position, column)| {
        comparable(column, &cast_to_column(dialect, &ArchivedTable::value(dialect, *position), column))
    });
    let current = columns.iter().map(|(_, column)| comparable(column, &format!("live.{}", quote(&column.name))));
    // SQLite has no EXCEPT ALL, so equal rows count as one. The number of restored rows is checked separately.
    let except = if dialect == Dialect::Postgres { "EXCEPT ALL" } else { "EXCEPT" };
    format!(
        "SELECT count(*) AS row_count FROM (SELECT {} {} {except} SELECT {} FROM {} live) missing",
        archived.collect::<Vec<_>>().join(", "),
        table.rows_clause(dialect),
        current.collect::<Vec<_>>().join(", "),
        live.relation(dialect)
    )
}
