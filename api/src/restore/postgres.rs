//! The restore on PostgreSQL in one statement. Foreign keys are checked at its end, so that cycles are possible.

use sea_orm::ConnectionTrait;

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

const POSTGRES: Dialect = Dialect::Postgres;

/// Inserts all archived rows and sets all references again, then checks deferred constraints.
///
/// Returns the counts of each archived table.
pub(super) async fn put_back(context: &RestoreContext<'_>) -> Result<Vec<RestoredCounts>, Error> {
    let mut by_table = vec![RestoredCounts::default(); context.tables.len()];
    let Some(sql) = restore_sql(context.tables, context.unarchived_tables) else { return Ok(by_table) };
    for row in context.tx.query_all_raw(POSTGRES.statement(sql, [])).await? {
        let number = usize::try_from(row.try_get::<i64>("", "table_number")?).unwrap_or_default();
        by_table[number] = RestoredCounts {
            rows: row.try_get("", "inserted")?,
            relinked: row.try_get("", "relinked")?,
            references: row.try_get("", "cleared")?,
            references_set: row.try_get("", "references_set")?,
        };
    }
    context.tx.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE").await?;
    Ok(by_table)
}

/// Returns the statement that restores every table, or `None` if the archive contains nothing of any existing table.
fn restore_sql(tables: &[ArchivedTable], unarchived: &UnarchivedTables) -> Option<String> {
    let mut changes = Vec::new();
    let mut counts = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        match (&table.layout, &table.live) {
            (ArchiveLayout::Rows(_), Some(live)) => {
                changes.push(format!("restored_{number} AS ({} RETURNING 1)", insert_sql(table, live)));
                counts.push(format!(
                    "SELECT {number}::bigint, (SELECT count(*) FROM restored_{number}), 0::bigint, 0::bigint, 0::bigint"
                ));
            }
            (ArchiveLayout::References(layout), Some(live)) if !layout.units.is_empty() => {
                changes.push(format!("restored_{number} AS ({})", update_sql(table, layout, live, unarchived)));
                counts.push(format!(
                    "SELECT {number}::bigint, 0::bigint, (SELECT count(*) FROM restored_{number}), \
                     (SELECT coalesce(sum({}), 0) {})::bigint, \
                     (SELECT coalesce(sum(references_set), 0) FROM restored_{number})::bigint",
                    layout.count_where(|unit| layout.was_cleared(POSTGRES, unit)),
                    table.rows_clause(POSTGRES)
                ));
            }
            // The archive contains nothing of the table, or schema_drift has reported the conflict.
            _ => {}
        }
    }
    let with = if changes.is_empty() { String::new() } else { format!("WITH {}\n", changes.join(",\n")) };
    (!counts.is_empty()).then(|| {
        format!(
            "{with}SELECT * FROM ({}) counts (table_number, inserted, relinked, cleared, references_set)",
            counts.join("\nUNION ALL\n")
        )
    })
}

fn insert_sql(table: &ArchivedTable, live: &LiveTable) -> String {
    let columns = insertable_columns(POSTGRES, table);
    let names: Vec<String> = columns.iter().map(|(_, column)| quote(&column.name)).collect();
    let values = columns.iter().map(|(position, column)| {
        format!("CAST({} AS {})", ArchivedTable::value(POSTGRES, *position), column.type_name)
    });
    format!(
        "INSERT INTO {}.{} ({}) OVERRIDING SYSTEM VALUE SELECT {} {}",
        quote(&live.name.0),
        quote(&live.name.1),
        names.join(", "),
        values.collect::<Vec<_>>().join(", "),
        table.rows_clause(POSTGRES)
    )
}

/// Returns the statement that sets a table's references again and returns the number of references set in each row.
///
/// The columns of a reference are set together, if the row still has the values that the deletion left.
fn update_sql(
    table: &ArchivedTable,
    layout: &ReferenceLayout,
    live: &LiveTable,
    unarchived: &UnarchivedTables,
) -> String {
    let conditions: Vec<String> =
        layout.units.iter().map(|unit| layout.can_be_set(POSTGRES, unit, live, unarchived)).collect();
    let mut set = Vec::new();
    for (unit, can_be_set) in layout.units.iter().zip(&conditions) {
        for &position in unit {
            let name = &layout.cleared[position].name;
            let column = quote(name);
            let type_name = live.column(POSTGRES, name).map_or("text", |column| column.type_name.as_str());
            let before = ArchivedTable::value(POSTGRES, layout.before(position));
            set.push(format!(
                "{column} = CASE WHEN {can_be_set} THEN CAST({before} AS {type_name}) ELSE live.{column} END"
            ));
        }
    }
    format!(
        "UPDATE {} live SET {} FROM {} archived WHERE archived.table_id = {} AND {} AND ({}) RETURNING {} AS references_set",
        live.relation(POSTGRES),
        set.join(", "),
        archived_rows_table(POSTGRES),
        table.id,
        layout.is_same_row(POSTGRES, live),
        conditions.join(" OR "),
        layout.count_where(|unit| layout.is_set(POSTGRES, unit, live))
    )
}
