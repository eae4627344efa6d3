//! What the database itself says of a restore: rows that came, changed or went beside those that were put back.

use std::collections::HashMap;

use sea_orm::DatabaseTransaction;

use crate::catalog;
use crate::db::{Database, Dialect};
use crate::deletion::postgres::{Changed, Changes, changes_so_far};
use crate::deletion::sqlite::change_audit::{changes, rows};
use crate::error::Error;
use crate::restore::Conflict;
use crate::restore::archived_table::{Entry, Kept};
use crate::restore::attempt::PutBack;
use crate::restore::conflict::whole;

/// A table's schema and name.
type Name = (String, String);

/// What is held against the same after the rows have been put back.
pub(in crate::restore) enum Witness {
    /// What PostgreSQL counts by table.
    Tables(Changes),
    /// Every change of SQLite's connection. The cheap one, where no trigger adds to it.
    Changes(i64),
    /// The rows of every table of SQLite's: a trigger may do anything to any of them.
    Rows(HashMap<String, i64>),
    /// PostgreSQL's `track_counts` is off, or on SQLite a key follows a reference that is set again and changes rows twice.
    Nothing,
}

impl Witness {
    /// Looks before anything is put back.
    pub async fn before(transaction: &DatabaseTransaction, db: &Database, entries: &[Entry]) -> Result<Self, Error> {
        if db.dialect() == Dialect::Postgres {
            return Ok(changes_so_far(transaction).await?.map_or(Self::Nothing, Self::Tables));
        }
        if entries.iter().flat_map(|entry| &entry.present).any(|present| present.triggers) {
            return Ok(Self::Rows(rows(transaction).await?));
        }
        if entries.iter().any(|entry| is_followed(entry, entries)) {
            return Ok(Self::Nothing);
        }
        Ok(Self::Changes(changes(transaction).await?))
    }

    /// Looks again; what was put back does not explain these.
    pub async fn after(
        self,
        transaction: &DatabaseTransaction,
        db: &Database,
        entries: &[Entry],
        done: &[PutBack],
    ) -> Result<Vec<Conflict>, Error> {
        let beside: Vec<(Name, Changed)> = match self {
            Self::Nothing => return Ok(Vec::new()),
            Self::Changes(before) => {
                let ours: i64 = done.iter().map(|done| done.rows + done.relinked).sum();
                return Ok(match changes(transaction).await? - before - ours {
                    0 => Vec::new(),
                    other => vec![whole("", told(&Changed { updated: other, ..Changed::default() }))],
                });
            }
            Self::Tables(before) => {
                let now = changes_so_far(transaction).await?.unwrap_or_default();
                let beside = now.into_iter().map(|(name, now)| {
                    let changed = beside(&name, &now, before.get(&name), entries, done);
                    (name, changed)
                });
                beside.collect()
            }
            Self::Rows(before) => {
                let now = rows(transaction).await?;
                let beside = before.into_iter().map(|(name, before)| {
                    let now = now.get(&name).copied().unwrap_or_default();
                    let name = ("main".to_owned(), name);
                    let more = now - before - put_back(Dialect::Sqlite, &name, entries, done).rows;
                    (name, Changed { inserted: more.max(0), deleted: (-more).max(0), updated: 0 })
                });
                beside.collect()
            }
        };
        let mut beside: Vec<_> = beside.into_iter().filter(|(_, changed)| *changed != Changed::default()).collect();
        if beside.is_empty() {
            return Ok(Vec::new());
        }
        // A table that no session leads to may grow: a trigger that keeps a log.
        let graph = catalog::read(transaction, db.dialect(), db.schema()).await?;
        let grows = |changed: &Changed| changed.updated == 0 && changed.deleted == 0;
        beside.retain(|((schema, name), changed)| !grows(changed) || graph.find(schema, name).is_some());
        beside.sort_by(|one, other| one.0.cmp(&other.0));
        let display = |(schema, name): &Name| {
            if schema == db.schema() { name.clone() } else { format!("{schema}.{name}") }
        };
        Ok(beside.iter().map(|(name, changed)| whole(&display(name), told(changed))).collect())
    }
}

/// What was put back into a table.
fn put_back(dialect: Dialect, name: &Name, entries: &[Entry], done: &[PutBack]) -> PutBack {
    let of_table = entries.iter().zip(done).filter(|(entry, _)| dialect.same_name(&entry.name.1, &name.1));
    let ours = of_table.filter(|(entry, _)| entry.name.0 == name.0).map(|(_, done)| done);
    ours.fold(PutBack::default(), |sum, done| PutBack {
        rows: sum.rows + done.rows,
        relinked: sum.relinked + done.relinked,
        ..sum
    })
}

/// What PostgreSQL counts beside what was put back into a table. A row that moves to another partition with its reference
/// counts as deleted there and inserted here.
fn beside(name: &Name, now: &Changed, then: Option<&Changed>, entries: &[Entry], done: &[PutBack]) -> Changed {
    let then = then.copied().unwrap_or_default();
    let ours = put_back(Dialect::Postgres, name, entries, done);
    let mut of_table = entries.iter().filter(|entry| entry.name == *name).flat_map(|entry| &entry.present);
    let partitioned = of_table.any(|present| present.partitioned);
    let deleted = now.deleted - then.deleted;
    let moved = if partitioned { deleted.min(ours.relinked) } else { 0 };
    Changed {
        inserted: now.inserted - then.inserted - moved - ours.rows,
        updated: now.updated - then.updated + moved - ours.relinked,
        deleted: deleted - moved,
    }
}

/// A column of the entry that is set again is itself referred to.
fn is_followed(entry: &Entry, entries: &[Entry]) -> bool {
    let Kept::References(layout) = &entry.kept else { return false };
    let same = |one: &str, other: &str| Dialect::Sqlite.same_name(one, other);
    let cleared = |name: &String| layout.cleared.iter().any(|column| same(&column.name, name));
    let references = entries.iter().flat_map(|entry| &entry.present).flat_map(|present| &present.references);
    let mut leading = references.filter(|reference| same(&reference.referenced.1, &entry.name.1));
    leading.any(|reference| reference.referenced_columns.iter().any(cleared))
}

fn told(changed: &Changed) -> String {
    let counts = [("added", changed.inserted), ("changed", changed.updated), ("deleted", changed.deleted)];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(_, count)| *count != 0)
        .map(|(what, count)| format!("{} {what}", count.abs()))
        .collect();
    format!(
        "Rows that were not kept would change with the restore ({}): a trigger's doing. Disable it, then restore again.",
        counts.join(", ")
    )
}
