//! Whether rows that were put back are what was kept: a trigger may have made something else of them.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::schema_drift::inserted;
use crate::catalog::live_table::{Present, PresentColumn};
use crate::db::{Dialect, quote};
use crate::deletion::refusals::counted;
use crate::error::Error;
use crate::restore::Conflict;
use crate::restore::archived_table::Entry;
use crate::restore::conflict::whole;
use crate::restore::references::{before_as, same_value};

/// The rows that are not what was kept. Looked for only where insertions fire triggers: to look costs as much as to put
/// back.
pub(in crate::restore) async fn rows(
    transaction: &DatabaseTransaction,
    dialect: Dialect,
    entries: &[Entry],
) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for entry in entries.iter().filter(|entry| entry.rows().is_some()) {
        let Some(present) = entry.present.as_ref().filter(|present| present.triggers) else { continue };
        let sql = by_key(dialect, entry, present).unwrap_or_else(|| as_a_set(dialect, entry, present));
        let row = transaction.query_one_raw(dialect.statement(sql, [])).await?;
        let altered: i64 = row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default();
        if altered > 0 {
            let message = format!(
                "{} would come back with other values than were kept: a trigger's doing. Disable it, then restore again.",
                counted(altered, "row", "rows")
            );
            conflicts.push(whole(&entry.display, message));
        }
    }
    Ok(conflicts)
}

/// The count of kept rows that the table lacks. None where no key finds them.
fn by_key(dialect: Dialect, entry: &Entry, present: &Present) -> Option<String> {
    let columns = inserted(dialect, entry);
    let key = entry.rows().map(|layout| layout.key.as_slice()).filter(|key| !key.is_empty())?;
    let key = key.iter().map(|place| {
        let (_, column) = columns.iter().find(|(other, _)| other == place)?;
        let value = before_as(dialect, &Entry::value(dialect, *place), column);
        Some(format!("c.{} {} {value}", quote(&column.name), column.equals))
    });
    let mut conditions: Vec<String> = key.collect::<Option<_>>()?;
    conditions.extend(columns.iter().map(|(place, column)| same(dialect, &Entry::value(dialect, *place), column)));
    Some(format!(
        "SELECT count(*) AS n {} AND NOT EXISTS (SELECT 1 FROM {} c WHERE {})",
        entry.from(dialect),
        present.relation(dialect),
        conditions.join(" AND ")
    ))
}

fn same(dialect: Dialect, kept: &str, column: &PresentColumn) -> String {
    let value = format!("c.{}", quote(&column.name));
    match dialect {
        Dialect::Postgres => same_value(&value, kept, column),
        // A plus sign takes the column's type from the comparison.
        Dialect::Sqlite => format!("+{value} COLLATE BINARY IS +{kept}"),
    }
}

fn as_a_set(dialect: Dialect, entry: &Entry, present: &Present) -> String {
    let columns = inserted(dialect, entry);
    let kept = columns.iter().map(|(place, column)| {
        let value = before_as(dialect, &Entry::value(dialect, *place), column);
        if dialect == Dialect::Postgres { column.text(&value) } else { format!("+{value}") }
    });
    let now = columns.iter().map(|(_, column)| {
        let value = format!("c.{}", quote(&column.name));
        if dialect == Dialect::Postgres { column.text(&value) } else { format!("+{value}") }
    });
    // SQLite cannot tell rows apart here that are alike; that so many came back is known.
    let except = if dialect == Dialect::Postgres { "EXCEPT ALL" } else { "EXCEPT" };
    format!(
        "SELECT count(*) AS n FROM (SELECT {} {} {except} SELECT {} FROM {} c) lacking",
        kept.collect::<Vec<_>>().join(", "),
        entry.from(dialect),
        now.collect::<Vec<_>>().join(", "),
        present.relation(dialect)
    )
}
