//! Rows that a later deletion took, and which one.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use uuid::Uuid;

use super::entry::{Entry, Kept, of_others};
use super::{Conflict, execute::LISTED};
use crate::db::{Database, Dialect};
use crate::error::Error;

/// SQLite takes 500 SELECTs in one statement.
const AT_ONCE: usize = 100;

/// Which of the deletions that can be restored has taken the row of `table` whose `columns` have these texts, for each of
/// `wanted`, by its place.
pub(super) async fn takers(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    table: &(String, String),
    columns: &[String],
    wanted: &[Vec<String>],
) -> Result<HashMap<usize, Uuid>, Error> {
    let dialect = db.dialect();
    let mut found = HashMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let others = of_others(transaction, db, deletion, table).await?;
    let selects: Vec<String> = others.iter().filter_map(|entry| select(dialect, entry, columns)).collect();
    for some in selects.chunks(AT_ONCE) {
        let statement = dialect.statement(some.join(" UNION ALL "), [json!(wanted).to_string().into()]);
        for row in transaction.query_all_raw(statement).await? {
            let place: i64 = row.try_get("", "place")?;
            let taker: String = row.try_get("", "deletion_id")?;
            if let (Ok(place), Ok(taker)) = (usize::try_from(place), taker.parse()) {
                found.insert(place, taker);
            }
        }
    }
    Ok(found)
}

/// The wanted rows that an entry keeps; none where it lacks a column.
fn select(dialect: Dialect, entry: &Entry, columns: &[String]) -> Option<String> {
    let layout = entry.rows()?;
    let place = |name: &String| layout.columns.iter().position(|column| dialect.same_name(&column.name, name));
    let places: Vec<usize> = columns.iter().map(place).collect::<Option<_>>()?;
    let same = places
        .iter()
        .enumerate()
        .map(|(number, &place)| format!("{} = (wanted.value ->> {number})", Entry::text(dialect, place)));
    let (place, listed) = match dialect {
        Dialect::Postgres => {
            ("wanted.place - 1", "jsonb_array_elements(CAST($1 AS jsonb)) WITH ORDINALITY AS wanted(value, place)")
        }
        Dialect::Sqlite => ("wanted.key", "json_each($1) AS wanted"),
    };
    Some(format!(
        "SELECT {place} AS place, '{}' AS deletion_id FROM {listed} JOIN {} r ON {} WHERE r.table_id = {}",
        entry.deletion,
        dialect.own_table("archived_rows"),
        same.collect::<Vec<_>>().join(" AND "),
        entry.id
    ))
}

/// Unlinked rows that a later deletion took: it is to be restored first, or its rows would come back without these
/// references.
pub(super) async fn unlinked_rows_taken(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    entries: &[Entry],
) -> Result<Vec<Conflict>, Error> {
    let dialect = db.dialect();
    let mut conflicts = Vec::new();
    for entry in entries {
        let (Kept::References(layout), Some(present)) = (&entry.kept, &entry.present) else { continue };
        let texts: Vec<String> =
            (0..layout.key.len()).map(|place| format!("{} AS k{place}", Entry::text(dialect, place))).collect();
        let sql = format!(
            "SELECT {} {} AND NOT EXISTS (SELECT 1 FROM {} c WHERE {}) LIMIT {LISTED}",
            texts.join(", "),
            entry.from(dialect),
            present.relation(dialect),
            layout.same_row(dialect, present)
        );
        let rows = transaction.query_all_raw(dialect.statement(sql, [])).await?;
        let keys = rows.iter().map(|row| {
            (0..layout.key.len()).map(|place| row.try_get("", &format!("k{place}"))).collect::<Result<Vec<String>, _>>()
        });
        let keys: Vec<Vec<String>> = keys.collect::<Result<_, _>>()?;
        let columns: Vec<String> = layout.key.iter().map(|column| column.name.clone()).collect();
        let takers = takers(transaction, db, deletion, &entry.name, &columns, &keys).await?;
        for (place, key) in keys.into_iter().enumerate() {
            let Some(taker) = takers.get(&place) else { continue };
            conflicts.push(Conflict {
                table: entry.display.clone(),
                key: key.join(", "),
                message: format!(
                    "The row, in which a reference is to be set again, was taken by the later deletion {taker}. Restore \
                     that one first."
                ),
                deletion_id: Some(*taker),
            });
        }
    }
    Ok(conflicts)
}
