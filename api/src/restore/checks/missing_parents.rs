//! Rows that refer to a row which neither is there nor comes back with them.

use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::later_deletions::{Column, takers};
use crate::catalog::live_table::Reference;
use crate::db::{Database, Dialect, quote};
use crate::error::Error;
use crate::restore::Conflict;
use crate::restore::archived_table::{Entry, Kept, shown};
use crate::restore::conflict::{LISTED, asked};
use crate::restore::references::Lacking;
use crate::restore::target_rows::Wanted;

/// The rows of an entry whose parents are gone, for each foreign key that the restore gives a value.
pub(in crate::restore) async fn rows(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    entries: &[Entry],
    (wanted, lacking): (&Wanted<'_>, &Lacking),
) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for reference in wanted.present.references.iter().filter(|reference| concerns(db.dialect(), wanted, reference)) {
        let parents = entries.iter().filter(|entry| is_of(db.dialect(), entry, &reference.whole));
        let parents: Vec<Wanted<'_>> = parents.filter_map(|entry| Wanted::of(db.dialect(), entry, lacking)).collect();
        let sql = search(db.dialect(), wanted, reference, &parents);
        conflicts.extend(found(transaction, db, deletion, (wanted.entry, reference), sql).await?);
    }
    Ok(conflicts)
}

/// The entry keeps rows of the table that a key refers to.
fn is_of(dialect: Dialect, entry: &Entry, (schema, name): &(String, String)) -> bool {
    entry.name.0 == *schema && dialect.same_name(&entry.name.1, name) && entry.rows().is_some()
}

/// The restore gives the key's columns values. Where it sets references only, a key with none of their columns stays as
/// it is.
fn concerns(dialect: Dialect, wanted: &Wanted<'_>, reference: &Reference) -> bool {
    let set = |name: &String| match &wanted.entry.kept {
        Kept::Rows(_) => true,
        Kept::References(layout) => layout.cleared.iter().any(|kept| dialect.same_name(&kept.name, name)),
    };
    reference.columns.iter().all(|name| wanted.has(dialect, name)) && reference.columns.iter().any(set)
}

/// The live parent is asked for row by row, as the foreign key itself does it, by the index that it needs. The rows without
/// one are sorted together with those that come back: how long that takes depends on no estimate of the archive, whose
/// statistics may be from before the deletion.
fn search(dialect: Dialect, wanted: &Wanted<'_>, reference: &Reference, parents: &[Wanted<'_>]) -> String {
    let places = 0..reference.columns.len();
    let column = |place: usize| format!("kept.{}", quote(&reference.columns[place]));
    let list = |of: &dyn Fn(usize) -> String| places.clone().map(of).collect::<Vec<_>>().join(", ");
    let texts = list(&|place| format!("{} AS t{place}", text(dialect, wanted, reference, place)));
    let values = list(&|place| format!("{} AS w{place}", alike(dialect, column(place))));
    let mut given: Vec<String> = places.clone().map(|place| format!("{} IS NOT NULL", column(place))).collect();
    given.extend(reference.predicate.iter().map(|predicate| format!("({predicate})")));
    let same: Vec<String> = places.clone().map(|place| reference.same(dialect, place, "p", &column(place))).collect();
    let missing = format!(
        "SELECT 1 AS ours, kept.session_admin_key AS key, {texts}, {values} FROM {} kept WHERE {} \
         AND NOT EXISTS (SELECT 1 FROM {} p WHERE {})",
        wanted.relation,
        given.join(" AND "),
        reference.relation(dialect),
        same.join(" AND ")
    );
    let texts = list(&|place| format!("t{place}"));
    let none = list(&|_| "NULL".to_owned());
    let coming =
        parents.iter().filter(|parent| reference.referenced_columns.iter().all(|name| parent.has(dialect, name)));
    let coming: String = coming
        .map(|parent| {
            let values = list(&|place| alike(dialect, format!("q.{}", quote(&reference.referenced_columns[place]))));
            format!(" UNION ALL SELECT 0, NULL, {none}, {values} FROM {} q", parent.relation)
        })
        .collect();
    if coming.is_empty() {
        return format!("SELECT key, {texts} FROM ({missing}) missing LIMIT {LISTED}");
    }
    let same = list(&|place| format!("w{place}{}", reference.collation(place)));
    format!(
        "SELECT key, {texts} FROM (SELECT ours, key, {texts}, \
         count(*) FILTER (WHERE ours = 0) OVER (PARTITION BY {same}) AS coming FROM ({missing}{coming}) both_kinds) told \
         WHERE ours = 1 AND coming = 0 LIMIT {LISTED}"
    )
}

/// A referring value as text, as it is kept of the row referred to.
fn text(dialect: Dialect, wanted: &Wanted<'_>, reference: &Reference, place: usize) -> String {
    let (name, value) = (&reference.columns[place], format!("kept.{}", quote(&reference.columns[place])));
    match (dialect, wanted.present.column(dialect, name)) {
        (Dialect::Postgres, Some(column)) => column.text(&value),
        (Dialect::Postgres, None) => format!("CAST({value} AS text)"),
        (Dialect::Sqlite, _) => shown(&value),
    }
}

/// Kept values have no type on SQLite, where 1 in one column may refer to '1' or 1.0 in another. Only as text is 1.0 made 1.
fn alike(dialect: Dialect, value: String) -> String {
    let number = format!("CAST(CAST(CAST({value} AS text) AS numeric) AS text)");
    match dialect {
        Dialect::Postgres => value,
        Dialect::Sqlite => format!("CASE WHEN typeof({value}) IN ('integer', 'real') THEN {number} ELSE {value} END"),
    }
}

async fn found(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    (entry, reference): (&Entry, &Reference),
    sql: String,
) -> Result<Vec<Conflict>, Error> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for row in asked(transaction, db.dialect(), sql).await? {
        let places = 0..reference.columns.len();
        let wanted = places.map(|place| row.try_get("", &format!("t{place}"))).collect::<Result<_, _>>()?;
        found.push((row.try_get("", "key")?, wanted));
    }
    let wanted: Vec<Vec<String>> = found.iter().map(|(_, wanted)| wanted.clone()).collect();
    let columns = reference.referenced_columns.iter().zip(&reference.collations);
    let columns: Vec<Column<'_>> = columns.map(|(name, coll)| (name.as_str(), coll.as_deref())).collect();
    let takers = takers(transaction, db, deletion, &reference.whole, &columns, &wanted).await?;
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
