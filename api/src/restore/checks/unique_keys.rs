//! Rows whose place in a unique key somebody has taken.

use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};

use crate::catalog::live_table::{Present, UniqueKey};
use crate::db::{Dialect, quote};
use crate::deletion::archive::References;
use crate::error::Error;
use crate::restore::Conflict;
use crate::restore::archived_table::{Entry, Kept, shown};
use crate::restore::conflict::{LISTED, asked};
use crate::restore::references::Lacking;
use crate::restore::sqlite;
use crate::restore::target_rows::Wanted;

/// The rows of an entry that a unique key keeps out, for each key.
pub(in crate::restore) async fn rows(
    transaction: &DatabaseTransaction,
    dialect: Dialect,
    wanted: &Wanted<'_>,
    lacking: &Lacking,
) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for key in &wanted.present.unique_keys {
        if let Some(parts) = &key.parts {
            conflicts.extend(by_parts(transaction, dialect, wanted, (key, parts)).await?);
        }
    }
    if wanted.present.unique_keys.iter().any(|key| key.parts.is_none()) {
        let more = by_trying(transaction, wanted, lacking, &conflicts).await?;
        conflicts.extend(more);
    }
    Ok(conflicts)
}

async fn by_parts(
    transaction: &DatabaseTransaction,
    dialect: Dialect,
    wanted: &Wanted<'_>,
    (key, parts): (&UniqueKey, &[(String, String)]),
) -> Result<Vec<Conflict>, Error> {
    let mut numbered: Vec<String> =
        parts.iter().enumerate().map(|(place, (part, _))| format!("{part} AS e{place}")).collect();
    numbered.extend(wanted.there.iter().enumerate().map(|(place, (column, _))| format!("{column} AS s{place}")));
    let numbered = numbered.join(", ");
    let predicate = key.predicate.as_ref().map_or_else(String::new, |predicate| format!(" WHERE {predicate}"));
    let held: Vec<String> =
        (0..parts.len()).map(|place| format!("coalesce({}, 'null')", text(dialect, place))).collect();
    let sql = format!(
        "SELECT kept.session_admin_key AS key, {} AS held FROM (SELECT session_admin_key, {numbered} FROM {} kept{predicate}) kept \
         WHERE {} LIMIT {LISTED}",
        held.join(" || ', ' || "),
        wanted.relation,
        another(
            dialect,
            wanted,
            key,
            parts,
            &format!("(SELECT {numbered} FROM {}{predicate})", wanted.present.relation(dialect))
        )
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
        Ok(Conflict { table: wanted.entry.display.clone(), key: row.try_get("", "key")?, message, deletion_id: None })
    });
    found.collect()
}

fn text(dialect: Dialect, place: usize) -> String {
    match dialect {
        Dialect::Postgres => format!("CAST(kept.e{place} AS text)"),
        Dialect::Sqlite => shown(&format!("kept.e{place}")),
    }
}

/// Another row of `now` has what `kept` has. Plain equality stands alone, so that the key's own index answers it.
fn another(dialect: Dialect, wanted: &Wanted<'_>, key: &UniqueKey, parts: &[(String, String)], now: &str) -> String {
    let itself = wanted.there.iter().enumerate();
    let itself: Vec<String> =
        itself.map(|(place, (_, equals))| format!("kept.s{place} {equals} now.s{place}")).collect();
    let others = if itself.is_empty() { String::new() } else { format!(" AND NOT ({})", itself.join(" AND ")) };
    let exists = |same: Vec<String>| format!("EXISTS (SELECT 1 FROM {now} now WHERE {}{others})", same.join(" AND "));
    let equal = |place: usize, operator: &str| format!("kept.e{place} {operator} now.e{place}");
    let plain = exists(parts.iter().enumerate().map(|(place, (_, operator))| equal(place, operator)).collect());
    if !key.nulls_equal || dialect == Dialect::Sqlite {
        return plain;
    }
    let null: Vec<String> = (0..parts.len()).map(|place| format!("kept.e{place} IS NULL")).collect();
    let either = parts.iter().enumerate().map(|(place, (_, operator))| {
        format!("({} OR (kept.e{place} IS NULL AND now.e{place} IS NULL))", equal(place, operator))
    });
    format!("({plain} OR (({}) AND {}))", null.join(" OR "), exists(either.collect()))
}

/// SQLite does not tell what an index over expressions, or over some rows, compares: the rows that it keeps out are those
/// that are not there after all have been tried.
async fn by_trying(
    transaction: &DatabaseTransaction,
    wanted: &Wanted<'_>,
    lacking: &Lacking,
    listed: &[Conflict],
) -> Result<Vec<Conflict>, Error> {
    let (entry, present) = (wanted.entry, wanted.present);
    let savepoint = transaction.begin().await?;
    let keys = match &entry.kept {
        Kept::Rows(layout) if layout.key.is_empty() => Ok(Vec::new()),
        Kept::Rows(layout) => left_out(&savepoint, entry, present, &layout.key).await,
        Kept::References(layout) => left_unset(&savepoint, entry, present, (layout, lacking)).await,
    };
    savepoint.rollback().await?;
    let keys = match keys {
        // Something else is in the way as well; the database's own words are told.
        Err(Error::Refused(_)) => return Ok(Vec::new()),
        keys => keys?,
    };
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

/// The keys of kept rows that cannot be put back.
async fn left_out(
    savepoint: &DatabaseTransaction,
    entry: &Entry,
    present: &Present,
    key: &[usize],
) -> Result<Vec<String>, Error> {
    let dialect = Dialect::Sqlite;
    let Some(layout) = entry.rows() else { return Ok(Vec::new()) };
    savepoint.execute_unprepared(&sqlite::insert(entry, present, "ON CONFLICT DO NOTHING")).await?;
    let same =
        key.iter().map(|&place| format!("c.{} = {}", quote(&layout.columns[place].name), Entry::value(dialect, place)));
    let sql = format!(
        "SELECT {} AS key {} AND NOT EXISTS (SELECT 1 FROM {} c WHERE {}) LIMIT {LISTED}",
        entry.key_text(dialect),
        entry.from(dialect),
        present.relation(dialect),
        same.collect::<Vec<_>>().join(" AND ")
    );
    keys(savepoint, sql).await
}

/// The keys of rows in which a reference cannot be set again.
async fn left_unset(
    savepoint: &DatabaseTransaction,
    entry: &Entry,
    present: &Present,
    (layout, lacking): (&References, &Lacking),
) -> Result<Vec<String>, Error> {
    let dialect = Dialect::Sqlite;
    let update = sqlite::update(entry, layout, present, lacking);
    // Each row may be the only one that is refused for something else, which OR IGNORE would pass over as well.
    let attempt = savepoint.begin().await?;
    let tried = attempt.execute_unprepared(&update).await.map_err(Error::from);
    attempt.rollback().await?;
    if !matches!(&tried, Err(Error::Refused(said)) if said.message.contains("UNIQUE constraint failed")) {
        return Ok(Vec::new());
    }
    savepoint.execute_unprepared(&update.replacen("UPDATE", "UPDATE OR IGNORE", 1)).await?;
    let applies: Vec<String> =
        layout.units.iter().map(|unit| layout.applies(dialect, unit, present, lacking)).collect();
    let sql = format!(
        "SELECT {} AS key FROM {} r JOIN {} c ON {} WHERE r.table_id = {} AND ({}) LIMIT {LISTED}",
        entry.key_text(dialect),
        dialect.own_table("archived_rows"),
        present.relation(dialect),
        layout.same_row(dialect, present),
        entry.id,
        applies.join(" OR ")
    );
    keys(savepoint, sql).await
}

async fn keys(savepoint: &DatabaseTransaction, sql: String) -> Result<Vec<String>, Error> {
    let rows = savepoint.query_all_raw(Dialect::Sqlite.statement(sql, [])).await?;
    Ok(rows.iter().map(|row| row.try_get("", "key")).collect::<Result<_, _>>()?)
}
