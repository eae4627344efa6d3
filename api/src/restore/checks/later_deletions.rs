//! Rows that a later deletion took, and which one.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, TransactionTrait};
use serde_json::json;
use uuid::Uuid;

use crate::db::{Database, Dialect};
use crate::error::Error;
use crate::restore::Conflict;
use crate::restore::archived_table::{Entry, Kept, of_later};
use crate::restore::conflict::LISTED;

/// SQLite takes 500 SELECTs in one statement.
const AT_ONCE: usize = 100;

/// A column's name and its collation.
pub(in crate::restore) type Column<'a> = (&'a str, Option<&'a str>);

/// Which of the later deletions that can be restored has taken the row of `table` whose `columns` (each with its collation)
/// have these texts, for each of `wanted`, by its place.
pub(in crate::restore) async fn takers(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    table: &(String, String),
    columns: &[Column<'_>],
    wanted: &[Vec<String>],
) -> Result<HashMap<usize, Uuid>, Error> {
    let mut found = HashMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let listed = (listed(db.dialect(), columns.len()), Some(json!(wanted).to_string()));
    for (row, taker) in taken(transaction, db, deletion, (table, columns), listed).await? {
        let place: i64 = row.try_get("", "place")?;
        if let Ok(place) = usize::try_from(place) {
            found.insert(place, taker);
        }
    }
    Ok(found)
}

/// The rows of a relation, `…, k0, k1, …`, that later deletions which can be restored have taken from the table, and which
/// deletion that was.
async fn taken(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    (table, columns): (&(String, String), &[Column<'_>]),
    (wanted, value): (String, Option<String>),
) -> Result<Vec<(QueryResult, Uuid)>, Error> {
    let dialect = db.dialect();
    let mut found = Vec::new();
    let others = of_later(transaction, db, deletion, table).await?;
    let selects: Vec<String> = others.iter().filter_map(|entry| select(dialect, entry, columns)).collect();
    if selects.is_empty() {
        return Ok(found);
    }
    let savepoint = transaction.begin().await?;
    if dialect == Dialect::Postgres {
        // The planner may believe that an archive is empty, and go through it for each row that is wanted.
        savepoint.execute_unprepared("SET LOCAL enable_nestloop = off").await?;
    }
    for some in selects.chunks(AT_ONCE) {
        let sql = format!("WITH wanted AS MATERIALIZED ({wanted}) {} LIMIT {LISTED}", some.join(" UNION ALL "));
        let values = value.iter().map(|value| value.clone().into());
        for row in savepoint.query_all_raw(dialect.statement(sql, values)).await? {
            let taker: String = row.try_get("", "deletion_id")?;
            if let Ok(taker) = taker.parse() {
                found.push((row, taker));
            }
        }
    }
    savepoint.rollback().await?;
    Ok(found)
}

/// The wanted keys by their place: `place, k0, k1, …`.
fn listed(dialect: Dialect, width: usize) -> String {
    let keys: String =
        (0..width).map(|number| format!(", CAST(listed.value ->> {number} AS text) AS k{number}")).collect();
    match dialect {
        Dialect::Postgres => format!(
            "SELECT listed.place - 1 AS place{keys} \
             FROM jsonb_array_elements(CAST($1 AS jsonb)) WITH ORDINALITY AS listed(value, place)"
        ),
        Dialect::Sqlite => format!("SELECT listed.key AS place{keys} FROM json_each($1) AS listed"),
    }
}

/// The wanted rows that an entry keeps; none where it lacks a column. Its rows are gone through once: SQLite keeps the order
/// of a CROSS JOIN, and makes an index over what is wanted.
fn select(dialect: Dialect, entry: &Entry, columns: &[Column<'_>]) -> Option<String> {
    let layout = entry.rows()?;
    let same = columns.iter().enumerate().map(|(number, (name, collation))| {
        let place = layout.columns.iter().position(|column| dialect.same_name(&column.name, name))?;
        let collation = collation.map_or_else(String::new, |name| format!(" COLLATE {name}"));
        Some(format!("{}{collation} = w.k{number}", Entry::text(dialect, place)))
    });
    let same: Vec<String> = same.collect::<Option<_>>()?;
    let join = match dialect {
        Dialect::Postgres => "JOIN",
        Dialect::Sqlite => "CROSS JOIN",
    };
    Some(format!(
        "SELECT w.*, '{}' AS deletion_id FROM {} r {join} wanted w ON {} WHERE r.table_id = {}",
        entry.deletion,
        dialect.own_table("archived_rows"),
        same.join(" AND "),
        entry.id
    ))
}

/// Unlinked rows that a later deletion took: it is to be restored first, or its rows would come back without these
/// references.
pub(in crate::restore) async fn unlinked_rows_taken(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    entries: &[Entry],
) -> Result<Vec<Conflict>, Error> {
    let dialect = db.dialect();
    let mut conflicts = Vec::new();
    for entry in entries {
        let (Kept::References(layout), Some(present)) = (&entry.kept, &entry.present) else { continue };
        let texts: String =
            (0..layout.key.len()).map(|place| format!(", {} AS k{place}", Entry::text(dialect, place))).collect();
        // Row by row, by the index of its key: most tables have many more rows than were unlinked.
        let gone = format!(
            "SELECT {} AS key{texts} {} AND (SELECT 1 FROM {} c WHERE {} LIMIT 1) IS NULL",
            entry.key_text(dialect),
            entry.from(dialect),
            present.relation(dialect),
            layout.same_row(dialect, present)
        );
        let columns: Vec<Column<'_>> = layout.key.iter().map(|column| (column.name.as_str(), None)).collect();
        // Of several deletions the last one is to be restored first.
        let mut takers = BTreeMap::new();
        for (row, taker) in taken(transaction, db, deletion, (&entry.name, &columns), (gone, None)).await? {
            takers.insert(row.try_get::<String>("", "key")?, taker);
        }
        conflicts.extend(takers.into_iter().map(|(key, taker)| Conflict {
            table: entry.display.clone(),
            key,
            message: format!(
                "The row, in which a reference is to be set again, was taken by the later deletion {taker}. Restore that \
                 one first."
            ),
            deletion_id: Some(taker),
        }));
    }
    Ok(conflicts)
}
