//! Putting back on SQLite: table by table; foreign keys wait for the end of the transaction.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::archived_table::{Entry, Kept};
use super::attempt::PutBack;
use super::checks::schema_drift::inserted;
use super::references::Lacking;
use crate::catalog::live_table::Present;
use crate::db::{Dialect, quote};
use crate::deletion::archive::References;
use crate::error::Error;

const SQLITE: Dialect = Dialect::Sqlite;

/// Puts everything back. Tells what was put back by entry.
pub(super) async fn put_back(
    transaction: &DatabaseTransaction,
    entries: &[Entry],
    lacking: &Lacking,
) -> Result<Vec<PutBack>, Error> {
    let mut by_entry = Vec::new();
    for entry in entries {
        let mut done = PutBack::default();
        match (&entry.kept, &entry.present) {
            (Kept::Rows(_), Some(present)) => {
                let inserted = run(transaction, insert(entry, present, "")).await;
                done.rows += inserted.map_err(|error| naming(error, entry))?;
            }
            (Kept::References(layout), Some(present)) if !layout.units.is_empty() => {
                done = references(transaction, entry, layout, (present, lacking)).await?;
                if done.relinked > 0 {
                    let updated = run(transaction, update(entry, layout, present, lacking)).await;
                    updated.map_err(|error| naming(error, entry))?;
                }
            }
            // Nothing was kept of it, or fit::lost has said so.
            _ => {}
        }
        by_entry.push(done);
    }
    Ok(by_entry)
}

/// The insertion of an entry's rows, with what is done about rows that are in the way.
pub(super) fn insert(entry: &Entry, present: &Present, on_conflict: &str) -> String {
    let columns = inserted(SQLITE, entry);
    let names: Vec<String> = columns.iter().map(|(_, column)| quote(&column.name)).collect();
    let values: Vec<String> = columns.iter().map(|(place, _)| Entry::value(SQLITE, *place)).collect();
    format!(
        "INSERT{} INTO {} ({}) SELECT {} {} {on_conflict}",
        or_abort(present),
        present.relation(SQLITE),
        names.join(", "),
        values.join(", "),
        entry.from(SQLITE)
    )
}

/// References that were cleared, rows of which some can be set again, and those that can: an UPDATE tells no more than
/// its own rows.
async fn references(
    transaction: &DatabaseTransaction,
    entry: &Entry,
    layout: &References,
    (present, lacking): (&Present, &Lacking),
) -> Result<PutBack, Error> {
    let cleared = layout.counted(|unit| layout.was_cleared(SQLITE, unit));
    let found = quote(&layout.key[0].name);
    let applies =
        layout.counted(|unit| format!("c.{found} IS NOT NULL AND {}", layout.applies(SQLITE, unit, present, lacking)));
    let join = format!("LEFT JOIN {} c ON {}", present.relation(SQLITE), layout.same_row(SQLITE, present));
    let sql = format!(
        "SELECT coalesce(sum(kept), 0) AS kept, coalesce(sum(applies > 0), 0) AS relinked, coalesce(sum(applies), 0) AS sets \
         FROM (SELECT {cleared} AS kept, {applies} AS applies FROM {} r {join} WHERE r.table_id = {})",
        SQLITE.own_table("archived_rows"),
        entry.id
    );
    let Some(row) = transaction.query_one_raw(SQLITE.statement(sql, [])).await? else {
        return Ok(PutBack::default());
    };
    Ok(PutBack {
        rows: 0,
        relinked: row.try_get("", "relinked")?,
        references: row.try_get("", "kept")?,
        references_set: row.try_get("", "sets")?,
    })
}

/// A reference is set again as a whole, where its row still holds what the deletion left.
pub(super) fn update(entry: &Entry, layout: &References, present: &Present, lacking: &Lacking) -> String {
    let applies: Vec<String> = layout.units.iter().map(|unit| layout.applies(SQLITE, unit, present, lacking)).collect();
    let mut set = Vec::new();
    for (unit, applies) in layout.units.iter().zip(&applies) {
        for &place in unit {
            let column = quote(&layout.cleared[place].name);
            let before = Entry::value(SQLITE, layout.before(place));
            set.push(format!("{column} = CASE WHEN {applies} THEN {before} ELSE c.{column} END"));
        }
    }
    format!(
        "UPDATE{} {} AS c SET {} FROM {} r WHERE r.table_id = {} AND {} AND ({})",
        or_abort(present),
        present.relation(SQLITE),
        set.join(", "),
        SQLITE.own_table("archived_rows"),
        entry.id,
        layout.same_row(SQLITE, present),
        applies.join(" OR ")
    )
}

/// What a table says of its own conflicts, REPLACE above all, would take rows that others have made since. Said only where
/// there is such a clause: it holds for what triggers do, too.
const fn or_abort(present: &Present) -> &'static str {
    if present.resolves_conflicts { " OR ABORT" } else { "" }
}

/// SQLite does not always say which table it refuses.
fn naming(error: Error, entry: &Entry) -> Error {
    match error {
        Error::Refused(mut said) => {
            said.table.get_or_insert_with(|| entry.display.clone());
            Error::Refused(said)
        }
        other => other,
    }
}

async fn run(transaction: &DatabaseTransaction, sql: String) -> Result<i64, Error> {
    let result = transaction.execute_raw(SQLITE.statement(sql, [])).await?;
    Ok(i64::try_from(result.rows_affected()).unwrap_or(i64::MAX))
}
