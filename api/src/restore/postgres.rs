//! Putting back on PostgreSQL: one statement, whose foreign keys are checked at its end, so that cycles pass.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::archived_table::{Entry, Kept};
use super::attempt::PutBack;
use super::checks::schema_drift::inserted;
use super::references::{Lacking, same_value};
use crate::catalog::live_table::Present;
use crate::db::{Dialect, quote};
use crate::deletion::archive::References;
use crate::error::Error;

/// Puts everything back, then fires what was deferred. Tells what was put back by entry.
pub(super) async fn put_back(
    transaction: &DatabaseTransaction,
    entries: &[Entry],
    lacking: &Lacking,
) -> Result<Vec<PutBack>, Error> {
    let mut done = vec![PutBack::default(); entries.len()];
    let Some(sql) = statement(entries, lacking) else { return Ok(done) };
    for row in transaction.query_all_raw(Dialect::Postgres.statement(sql, [])).await? {
        let entry = usize::try_from(row.try_get::<i64>("", "entry")?).unwrap_or_default();
        done[entry] = PutBack {
            rows: row.try_get("", "inserted")?,
            relinked: row.try_get("", "relinked")?,
            references: row.try_get("", "kept")?,
            references_set: row.try_get("", "set")?,
        };
    }
    transaction.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE").await?;
    Ok(done)
}

/// None where nothing was kept of any table that there is.
fn statement(entries: &[Entry], lacking: &Lacking) -> Option<String> {
    let mut parts = Vec::new();
    let mut answers = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        match (&entry.kept, &entry.present) {
            (Kept::Rows(_), Some(present)) => {
                parts.push(format!("p{number} AS ({} RETURNING 1)", insert(entry, present)));
                answers.push(format!(
                    "SELECT {number}::bigint, (SELECT count(*) FROM p{number}), 0::bigint, 0::bigint, 0::bigint"
                ));
            }
            (Kept::References(layout), Some(present)) if !layout.units.is_empty() => {
                parts.push(format!("p{number} AS ({})", update(entry, layout, present, lacking)));
                answers.push(format!(
                    "SELECT {number}::bigint, 0::bigint, (SELECT count(*) FROM p{number}), (SELECT coalesce(sum({}), 0) {})::bigint, \
                     (SELECT coalesce(sum(n), 0) FROM p{number})::bigint",
                    layout.counted(|unit| layout.was_cleared(Dialect::Postgres, unit)),
                    entry.from(Dialect::Postgres)
                ));
            }
            // Nothing was kept of it, or fit::lost has said so.
            _ => {}
        }
    }
    let with = if parts.is_empty() { String::new() } else { format!("WITH {}\n", parts.join(",\n")) };
    (!answers.is_empty()).then(|| {
        format!("{with}SELECT * FROM ({}) done (entry, inserted, relinked, kept, set)", answers.join("\nUNION ALL\n"))
    })
}

fn insert(entry: &Entry, present: &Present) -> String {
    let columns = inserted(Dialect::Postgres, entry);
    let names: Vec<String> = columns.iter().map(|(_, column)| quote(&column.name)).collect();
    let values: Vec<String> = columns
        .iter()
        .map(|(place, column)| format!("CAST({} AS {})", Entry::value(Dialect::Postgres, *place), column.type_name))
        .collect();
    format!(
        "INSERT INTO {}.{} ({}) OVERRIDING SYSTEM VALUE SELECT {} {}",
        quote(&present.name.0),
        quote(&present.name.1),
        names.join(", "),
        values.join(", "),
        entry.from(Dialect::Postgres)
    )
}

/// A reference is set again as a whole, where its row still holds what the deletion left.
fn update(entry: &Entry, layout: &References, present: &Present, lacking: &Lacking) -> String {
    let applies: Vec<String> =
        layout.units.iter().map(|unit| layout.applies(Dialect::Postgres, unit, present, lacking)).collect();
    let mut set = Vec::new();
    for (unit, applies) in layout.units.iter().zip(&applies) {
        for &place in unit {
            let column = quote(&layout.cleared[place].name);
            let of_type = present.column(Dialect::Postgres, &layout.cleared[place].name);
            let of_type = of_type.map_or("text", |column| column.type_name.as_str());
            let before = Entry::value(Dialect::Postgres, layout.before(place));
            set.push(format!("{column} = CASE WHEN {applies} THEN CAST({before} AS {of_type}) ELSE c.{column} END"));
        }
    }
    let is_set = |unit: &[usize]| {
        let same = unit.iter().filter_map(|&place| {
            let column = present.column(Dialect::Postgres, &layout.cleared[place].name)?;
            let before = Entry::value(Dialect::Postgres, layout.before(place));
            Some(same_value(&format!("c.{}", quote(&column.name)), &before, column))
        });
        format!("({} AND {})", layout.was_cleared(Dialect::Postgres, unit), same.collect::<Vec<_>>().join(" AND "))
    };
    format!(
        "UPDATE {} c SET {} FROM {} r WHERE r.table_id = {} AND {} AND ({}) RETURNING {} AS n",
        present.relation(Dialect::Postgres),
        set.join(", "),
        Dialect::Postgres.own_table("archived_rows"),
        entry.id,
        layout.same_row(Dialect::Postgres, present),
        applies.join(" OR "),
        layout.counted(is_set)
    )
}
