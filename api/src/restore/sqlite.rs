//! The restore on SQLite, table by table. Foreign keys are checked at the end of the transaction.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::archived_table::ArchivedTable;
use super::columns::insertable_columns;
use super::context::RestoreContext;
use super::references::UnarchivedTables;
use super::row_counts::RestoredCounts;
use crate::catalog::live_table::LiveTable;
use crate::db::{Dialect, quote};
use crate::deletion::archive::ReferenceLayout;
use crate::deletion::archive::entries::{ArchiveLayout, archived_rows_table};
use crate::error::Error;

const SQLITE: Dialect = Dialect::Sqlite;

/// Inserts all archived rows and sets all references again. Returns the counts of each archived table.
pub(super) async fn put_back(context: &RestoreContext<'_>) -> Result<Vec<RestoredCounts>, Error> {
    let mut by_table = Vec::new();
    for table in context.tables {
        let mut counts = RestoredCounts::default();
        match (&table.layout, &table.live) {
            (ArchiveLayout::Rows(_), Some(live)) => {
                let inserted = execute(context.tx, insert_sql(table, live, "")).await;
                counts.rows += inserted.map_err(|error| with_table(error, table))?;
            }
            (ArchiveLayout::References(layout), Some(live)) if !layout.units.is_empty() => {
                counts = count_references(context, table, layout, live).await?;
                if counts.relinked > 0 {
                    let updated = execute(context.tx, update_sql(table, layout, live, context.unarchived_tables)).await;
                    updated.map_err(|error| with_table(error, table))?;
                }
            }
            // The archive contains nothing of the table, or schema_drift has reported the conflict.
            _ => {}
        }
        by_table.push(counts);
    }
    Ok(by_table)
}

/// Returns the statement that inserts a table's archived rows. `on_conflict` is its ON CONFLICT clause.
pub(super) fn insert_sql(table: &ArchivedTable, live: &LiveTable, on_conflict: &str) -> String {
    let columns = insertable_columns(SQLITE, table);
    let names: Vec<String> = columns.iter().map(|(_, column)| quote(&column.name)).collect();
    let values: Vec<String> = columns.iter().map(|(position, _)| ArchivedTable::value(SQLITE, *position)).collect();
    format!(
        "INSERT{} INTO {} ({}) SELECT {} {} {on_conflict}",
        or_abort(live),
        live.relation(SQLITE),
        names.join(", "),
        values.join(", "),
        table.rows_clause(SQLITE)
    )
}

/// Counts the cleared references, the rows in which some can be set again, and those references. An UPDATE reports only
/// the number of its rows.
async fn count_references(
    context: &RestoreContext<'_>,
    table: &ArchivedTable,
    layout: &ReferenceLayout,
    live: &LiveTable,
) -> Result<RestoredCounts, Error> {
    let cleared = layout.count_where(|unit| layout.was_cleared(SQLITE, unit));
    let key = quote(&layout.key[0].name);
    let settable = layout.count_where(|unit| {
        let can_be_set = layout.can_be_set(SQLITE, unit, live, context.unarchived_tables);
        format!("live.{key} IS NOT NULL AND {can_be_set}")
    });
    let join = format!("LEFT JOIN {} live ON {}", live.relation(SQLITE), layout.is_same_row(SQLITE, live));
    let sql = format!(
        "SELECT coalesce(sum(cleared), 0) AS cleared, coalesce(sum(settable > 0), 0) AS relinked, \
         coalesce(sum(settable), 0) AS settable \
         FROM (SELECT {cleared} AS cleared, {settable} AS settable FROM {} archived {join} WHERE archived.table_id = {})",
        archived_rows_table(SQLITE),
        table.id
    );
    let Some(row) = context.tx.query_one_raw(SQLITE.statement(sql, [])).await? else {
        return Ok(RestoredCounts::default());
    };
    Ok(RestoredCounts {
        rows: 0,
        relinked: row.try_get("", "relinked")?,
        references: row.try_get("", "cleared")?,
        references_set: row.try_get("", "settable")?,
    })
}

/// Returns the statement that sets a table's references again.
///
/// The columns of a reference are set together, if the row still has the values that the deletion left.
pub(super) fn update_sql(
    table: &ArchivedTable,
    layout: &ReferenceLayout,
    live: &LiveTable,
    unarchived: &UnarchivedTables,
) -> String {
    let conditions: Vec<String> =
        layout.units.iter().map(|unit| layout.can_be_set(SQLITE, unit, live, unarchived)).collect();
    let mut set = Vec::new();
    for (unit, can_be_set) in layout.units.iter().zip(&conditions) {
        for &position in unit {
            let column = quote(&layout.cleared[position].name);
            let before = ArchivedTable::value(SQLITE, layout.before(position));
            set.push(format!("{column} = CASE WHEN {can_be_set} THEN {before} ELSE live.{column} END"));
        }
    }
    format!(
        "UPDATE{} {} AS live SET {} FROM {} archived WHERE archived.table_id = {} AND {} AND ({})",
        or_abort(live),
        live.relation(SQLITE),
        set.join(", "),
        archived_rows_table(SQLITE),
        table.id,
        layout.is_same_row(SQLITE, live),
        conditions.join(" OR ")
    )
}

/// Returns ` OR ABORT` for a table that has ON CONFLICT clauses in its definition.
///
/// REPLACE would delete rows that have been inserted since the deletion. Other tables do not use OR ABORT, because it
/// also applies to statements of triggers.
const fn or_abort(live: &LiveTable) -> &'static str {
    if live.resolves_conflicts { " OR ABORT" } else { "" }
}

/// Adds the table to an error of SQLite, which does not always name it.
fn with_table(error: Error, table: &ArchivedTable) -> Error {
    match error {
        Error::Refused(mut message) => {
            message.table.get_or_insert_with(|| table.display.clone());
            Error::Refused(message)
        }
        other => other,
    }
}

/// Executes a statement and returns the number of rows it changed.
async fn execute(tx: &DatabaseTransaction, sql: String) -> Result<i64, Error> {
    let result = tx.execute_raw(SQLITE.statement(sql, [])).await?;
    Ok(i64::try_from(result.rows_affected()).unwrap_or(i64::MAX))
}
