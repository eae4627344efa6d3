//! Rows that refer to a row which neither is there nor comes back with them.

use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::Conflict;
use super::conflict::{LISTED, asked};
use super::entry::{Entry, Kept};
use super::later::takers;
use super::present::Reference;
use super::relink::Lacking;
use super::wanted::Wanted;
use crate::db::{Database, Dialect, quote};
use crate::error::Error;

/// The rows of an entry whose parents are gone, for each foreign key that the restore gives a value.
pub(super) async fn rows(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    entries: &[Entry],
    (wanted, lacking): (&Wanted<'_>, &Lacking),
) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for reference in wanted.present.references.iter().filter(|reference| concerns(wanted, reference)) {
        let parents = entries.iter().filter(|entry| is_of(db.dialect(), entry, &reference.referenced));
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
fn concerns(wanted: &Wanted<'_>, reference: &Reference) -> bool {
    let set = |name: &String| match &wanted.entry.kept {
        Kept::Rows(_) => true,
        Kept::References(layout) => layout.cleared.iter().any(|kept| kept.name.eq_ignore_ascii_case(name)),
    };
    reference.columns.iter().all(|name| wanted.has(name)) && reference.columns.iter().any(set)
}

/// The live parent is asked for row by row, as the foreign key itself does it, by the index that it needs. The rows without
/// one are sorted together with those that come back: how long that takes depends on no estimate of the archive, whose
/// statistics may be from before the deletion.
fn search(dialect: Dialect, wanted: &Wanted<'_>, reference: &Reference, parents: &[Wanted<'_>]) -> String {
    let places = 0..reference.columns.len();
    let column = |place: usize| format!("kept.{}", quote(&reference.columns[place]));
    let to = |alias: &str, place: usize| format!("{alias}.{}", quote(&reference.referenced_columns[place]));
    let collation = |place: usize| {
        let name = reference.collations[place].as_ref();
        name.map_or_else(String::new, |name| format!(" COLLATE {name}"))
    };
    let list = |of: &dyn Fn(usize) -> String| places.clone().map(of).collect::<Vec<_>>().join(", ");
    let texts = list(&|place| format!("CAST({} AS text) AS t{place}", column(place)));
    let values = list(&|place| format!("{} AS w{place}", column(place)));
    let given: Vec<String> = places.clone().map(|place| format!("{} IS NOT NULL", column(place))).collect();
    let same: Vec<String> = places
        .clone()
        .map(|place| match dialect {
            Dialect::Postgres => {
                format!("{} {} {}{}", to("p", place), reference.equals[place], column(place), collation(place))
            }
            // The parent's own type and collation decide, as they stand on the left.
            Dialect::Sqlite => format!("{} = {}", to("p", place), column(place)),
        })
        .collect();
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
    let coming = parents.iter().filter(|parent| reference.referenced_columns.iter().all(|name| parent.has(name)));
    let coming: String = coming
        .map(|parent| {
            let values = list(&|place| to("q", place));
            format!(" UNION ALL SELECT 0, NULL, {none}, {values} FROM {} q", parent.relation)
        })
        .collect();
    if coming.is_empty() {
        return format!("SELECT key, {texts} FROM ({missing}) missing LIMIT {LISTED}");
    }
    let same = list(&|place| format!("w{place}{}", collation(place)));
    format!(
        "SELECT key, {texts} FROM (SELECT ours, key, {texts}, \
         count(*) FILTER (WHERE ours = 0) OVER (PARTITION BY {same}) AS coming FROM ({missing}{coming}) both_kinds) told \
         WHERE ours = 1 AND coming = 0 LIMIT {LISTED}"
    )
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
    let columns: Vec<(&str, Option<&str>)> = columns.map(|(name, coll)| (name.as_str(), coll.as_deref())).collect();
    let takers = takers(transaction, db, deletion, &reference.referenced, &columns, &wanted).await?;
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
