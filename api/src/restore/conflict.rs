//! What stands in the way of rows that could not be put back, row by row.

use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, TransactionTrait};
use uuid::Uuid;

use super::Conflict;
use super::entry::Entry;
use super::execute::LISTED;
use super::fit::inserted;
use super::later::takers;
use super::on_sqlite;
use super::present::{Present, Reference, UniqueKey};
use crate::db::{Database, Dialect, quote};
use crate::error::{Error, Said};

/// Everything that is in the way of an archive's rows, the first 1,000 of each kind. Looked for only where they could not
/// be put back: to look costs as much as to put back.
pub(super) async fn all(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    entries: &[Entry],
) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for entry in entries {
        let (Some(_), Some(present)) = (entry.rows(), &entry.present) else { continue };
        for key in &present.unique_keys {
            if let Some(parts) = &key.parts {
                conflicts.extend(taken(transaction, db, entry, present, (key, parts)).await?);
            }
        }
        if present.unique_keys.iter().any(|key| key.parts.is_none()) {
            let more = taken_otherwise(transaction, entry, present, &conflicts).await?;
            conflicts.extend(more);
        }
    }
    conflicts.extend(orphans(transaction, db, deletion, entries).await?);
    Ok(conflicts)
}

/// The rows that refer to others which are gone.
pub(super) async fn orphans(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    entries: &[Entry],
) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for entry in entries.iter().filter(|entry| entry.rows().is_some()) {
        for reference in entry.present.iter().flat_map(|present| &present.references) {
            conflicts.extend(orphaned(transaction, db, deletion, entries, (entry, reference)).await?);
        }
    }
    Ok(conflicts)
}

/// Something about a whole table, or about all of them.
pub(super) fn whole(table: &str, message: String) -> Conflict {
    Conflict { table: table.to_owned(), key: String::new(), message, deletion_id: None }
}

/// What the database said, where nothing else was found.
pub(super) fn said(said: &Said) -> Conflict {
    whole(said.table.as_deref().unwrap_or_default(), format!("The database refused: {}.", said.message))
}

/// The kept rows as rows of the table, with the columns' own names, types and collations, so that the catalogue's
/// expressions can be read over them.
fn typed(dialect: Dialect, entry: &Entry) -> String {
    let columns = inserted(dialect, entry).into_iter().map(|(place, column)| {
        let value = Entry::value(dialect, place);
        let value = match dialect {
            Dialect::Postgres => format!("CAST({value} AS {})", column.type_name),
            Dialect::Sqlite => value,
        };
        let collation = column.collation.as_ref().map_or_else(String::new, |name| format!(" COLLATE {name}"));
        format!("{value}{collation} AS {}", quote(&column.name))
    });
    let columns: Vec<String> = columns.collect();
    format!("(SELECT {} AS session_admin_key, {} {})", entry.key_text(dialect), columns.join(", "), entry.from(dialect))
}

/// The rows of a question that may have no answer: an expression over a column that was not kept cannot be read, and types
/// that do not compare any more cannot be compared. The database's own words have to do then.
async fn asked(transaction: &DatabaseTransaction, dialect: Dialect, sql: String) -> Result<Vec<QueryResult>, Error> {
    let savepoint = transaction.begin().await?;
    let rows = savepoint.query_all_raw(dialect.statement(sql, [])).await.map_err(Error::from);
    savepoint.rollback().await?;
    match rows {
        Err(Error::Database(_) | Error::Refused(_)) => Ok(Vec::new()),
        other => other,
    }
}

/// Rows whose place in a unique key somebody has taken.
async fn taken(
    transaction: &DatabaseTransaction,
    db: &Database,
    entry: &Entry,
    present: &Present,
    (key, parts): (&UniqueKey, &[(String, String)]),
) -> Result<Vec<Conflict>, Error> {
    let dialect = db.dialect();
    let numbered = |prefix: &str| {
        let listed = parts.iter().enumerate().map(|(place, (part, _))| format!("{prefix}{part} AS e{place}"));
        listed.collect::<Vec<_>>().join(", ")
    };
    let predicate = key.predicate.as_ref().map_or_else(String::new, |predicate| format!(" WHERE {predicate}"));
    let same = parts.iter().enumerate().map(|(place, (_, operator))| {
        let nulls = if key.nulls_equal {
            format!(" OR (kept.e{place} IS NULL AND now.e{place} IS NULL)")
        } else {
            String::new()
        };
        format!("(kept.e{place} {operator} now.e{place}{nulls})")
    });
    let held: Vec<String> =
        (0..parts.len()).map(|place| format!("coalesce(CAST(kept.e{place} AS text), 'null')")).collect();
    let sql = format!(
        "SELECT kept.session_admin_key AS key, {} AS held FROM (SELECT session_admin_key, {} FROM {} kept{predicate}) kept \
         WHERE EXISTS (SELECT 1 FROM (SELECT {} FROM {}{predicate}) now WHERE {}) LIMIT {LISTED}",
        held.join(" || ', ' || "),
        numbered(""),
        typed(dialect, entry),
        numbered(""),
        present.relation(dialect),
        same.collect::<Vec<_>>().join(" AND ")
    );
    let rows = asked(transaction, dialect, sql).await?;
    let names: Vec<&str> = parts.iter().map(|(part, _)| part.split(" COLLATE ").next().unwrap_or(part)).collect();
    let found = rows.iter().map(|row| {
        let message = format!(
            "Another row has the same {} now ({}), which {} allows once. Delete or change that row, then restore again.",
            names.join(", ").replace('"', ""),
            row.try_get::<String>("", "held")?,
            key.name
        );
        Ok(Conflict { table: entry.display.clone(), key: row.try_get("", "key")?, message, deletion_id: None })
    });
    found.collect()
}

/// SQLite does not tell what an index over expressions, or over some rows, compares: the rows that it keeps out are those
/// that are not there after all have been tried.
async fn taken_otherwise(
    transaction: &DatabaseTransaction,
    entry: &Entry,
    present: &Present,
    listed: &[Conflict],
) -> Result<Vec<Conflict>, Error> {
    let dialect = Dialect::Sqlite;
    let Some(layout) = entry.rows().filter(|layout| !layout.key.is_empty()) else { return Ok(Vec::new()) };
    let savepoint = transaction.begin().await?;
    savepoint.execute_unprepared(&on_sqlite::insert(entry, present, "ON CONFLICT DO NOTHING")).await?;
    let same = layout
        .key
        .iter()
        .map(|&place| format!("c.{} = {}", quote(&layout.columns[place].name), Entry::value(dialect, place)));
    let sql = format!(
        "SELECT {} AS key {} AND NOT EXISTS (SELECT 1 FROM {} c WHERE {}) LIMIT {LISTED}",
        entry.key_text(dialect),
        entry.from(dialect),
        present.relation(dialect),
        same.collect::<Vec<_>>().join(" AND ")
    );
    let rows = savepoint.query_all_raw(dialect.statement(sql, [])).await?;
    savepoint.rollback().await?;
    let keys: Vec<String> = rows.iter().map(|row| row.try_get("", "key")).collect::<Result<_, _>>()?;
    let names: Vec<&str> =
        present.unique_keys.iter().filter(|key| key.parts.is_none()).map(|key| key.name.as_str()).collect();
    let message = format!(
        "Another row has the same value now in what {} allows once. Delete or change that row, then restore again.",
        names.join(" or ")
    );
    let is_new = |key: &String| !listed.iter().any(|other| other.table == entry.display && other.key == *key);
    let found = keys.into_iter().filter(is_new).map(|key| Conflict {
        table: entry.display.clone(),
        key,
        message: message.clone(),
        deletion_id: None,
    });
    Ok(found.collect())
}

/// Rows that refer to a row which neither is there nor comes back with them.
async fn orphaned(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    entries: &[Entry],
    (entry, reference): (&Entry, &Reference),
) -> Result<Vec<Conflict>, Error> {
    let dialect = db.dialect();
    let kept = inserted(dialect, entry);
    let has = |name: &String| kept.iter().any(|(_, column)| dialect.same_name(&column.name, name));
    if !reference.columns.iter().all(has) {
        return Ok(Vec::new());
    }
    let same = |alias: &str| {
        let pairs = reference.columns.iter().zip(&reference.referenced_columns);
        let pairs = pairs.map(|(column, to)| format!("{alias}.{} = kept.{}", quote(to), quote(column)));
        pairs.collect::<Vec<_>>().join(" AND ")
    };
    let mut conditions: Vec<String> =
        reference.columns.iter().map(|column| format!("kept.{} IS NOT NULL", quote(column))).collect();
    conditions.push(format!("NOT EXISTS (SELECT 1 FROM {} p WHERE {})", reference.relation(dialect), same("p")));
    let parents = entries.iter().filter(|other| other.name == reference.referenced && other.rows().is_some());
    for parent in parents.filter(|parent| parent.present.is_some()) {
        conditions.push(format!("NOT EXISTS (SELECT 1 FROM {} q WHERE {})", typed(dialect, parent), same("q")));
    }
    let texts: Vec<String> = reference
        .columns
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let value = format!("kept.{}", quote(name));
            let column = entry.present.as_ref().and_then(|present| present.column(dialect, name));
            let text = column.map_or_else(|| format!("CAST({value} AS text)"), |column| column.text(&value));
            format!("{text} AS w{place}")
        })
        .collect();
    let sql = format!(
        "SELECT kept.session_admin_key AS key, {} FROM {} kept WHERE {} LIMIT {LISTED}",
        texts.join(", "),
        typed(dialect, entry),
        conditions.join(" AND ")
    );
    let rows = asked(transaction, dialect, sql).await?;
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for row in rows {
        let wanted = (0..texts.len()).map(|place| row.try_get("", &format!("w{place}"))).collect::<Result<_, _>>()?;
        found.push((row.try_get("", "key")?, wanted));
    }
    let wanted: Vec<Vec<String>> = found.iter().map(|(_, wanted)| wanted.clone()).collect();
    let columns = &reference.referenced_columns;
    let takers = takers(transaction, db, deletion, &reference.referenced, columns, &wanted).await?;
    let conflicts = found.into_iter().enumerate().map(|(place, (key, wanted))| {
        let taker = takers.get(&place).copied();
        Conflict { table: entry.display.clone(), key, message: gone(db, reference, &wanted, taker), deletion_id: taker }
    });
    Ok(conflicts.collect())
}

fn gone(db: &Database, reference: &Reference, wanted: &[String], taker: Option<Uuid>) -> String {
    let (schema, name) = &reference.referenced;
    let parent = if schema == db.schema() { name.clone() } else { format!("{schema}.{name}") };
    let (columns, wanted) = (reference.columns.join(", "), wanted.join(", "));
    match taker {
        Some(taker) => format!(
            "{columns} refers to the row {wanted} of {parent}, which the later deletion {taker} took. Restore that one first."
        ),
        None => format!(
            "{columns} refers to the row {wanted} of {parent}, which is gone. Put that row back, then restore again."
        ),
    }
}
