//! The audit of a restore against the database's change counters, which detects rows changed by triggers.

use std::collections::HashMap;

use sea_orm::DatabaseTransaction;

use crate::catalog;
use crate::db::{Database, Dialect};
use crate::deletion::archive::entries::ArchiveLayout;
use crate::deletion::postgres::{ChangedRows, TableChanges, changes_so_far};
use crate::deletion::sqlite::change_audit::{changes, rows};
use crate::error::Error;
use crate::restore::archived_table::ArchivedTable;
use crate::restore::conflict::table_conflict;
use crate::restore::context::RestoreContext;
use crate::restore::model::Conflict;
use crate::restore::row_counts::RestoredCounts;

/// A table's schema and name.
type TableName = (String, String);

/// The database's change counters before a restore.
pub(in crate::restore) enum ChangeAudit {
    /// PostgreSQL's counters by table.
    PostgresTables(TableChanges),
    /// The number of changes on SQLite's connection. This cheap counter is used if no trigger adds to it.
    SqliteChanges(i64),
    /// The row count of every table in SQLite. It is used if a trigger may change any of them.
    SqliteRows(HashMap<String, i64>),
    /// No counter is usable. On PostgreSQL, `track_counts` is off. On SQLite, a foreign key cascades from a reference
    /// that is set again, which changes rows twice.
    Unavailable,
}

impl ChangeAudit {
    /// Reads the counters before anything is restored.
    pub async fn start(context: &RestoreContext<'_>) -> Result<Self, Error> {
        let RestoreContext { tx, tables, .. } = *context;
        if context.dialect() == Dialect::Postgres {
            return Ok(changes_so_far(tx).await?.map_or(Self::Unavailable, Self::PostgresTables));
        }
        if tables.iter().flat_map(|table| &table.live).any(|live| live.triggers) {
            return Ok(Self::SqliteRows(rows(tx).await?));
        }
        if tables.iter().any(|table| is_referenced(table, tables)) {
            return Ok(Self::Unavailable);
        }
        Ok(Self::SqliteChanges(changes(tx).await?))
    }

    /// Reads the counters again and returns the changes that the restore itself does not explain.
    pub async fn unexplained_changes(
        self,
        context: &RestoreContext<'_>,
        by_table: &[RestoredCounts],
    ) -> Result<Vec<Conflict>, Error> {
        let RestoreContext { tx, db, tables, .. } = *context;
        let unexplained: Vec<(TableName, ChangedRows)> = match self {
            Self::Unavailable => return Ok(Vec::new()),
            Self::SqliteChanges(before) => {
                let restored: i64 = by_table.iter().map(|counts| counts.rows + counts.relinked).sum();
                return Ok(match changes(tx).await? - before - restored {
                    0 => Vec::new(),
                    other => {
                        vec![table_conflict("", message(&ChangedRows { updated: other, ..ChangedRows::default() }))]
                    }
                });
            }
            Self::PostgresTables(before) => {
                let after = changes_so_far(tx).await?.unwrap_or_default();
                let unexplained = after.into_iter().map(|(name, after)| {
                    let before = before.get(&name).copied().unwrap_or_default();
                    let unexplained = unexplained_on_postgres(&name, &before, &after, tables, by_table);
                    (name, unexplained)
                });
                unexplained.collect()
            }
            Self::SqliteRows(before) => {
                let after = rows(tx).await?;
                let unexplained = before.into_iter().map(|(name, before)| {
                    let after = after.get(&name).copied().unwrap_or_default();
                    let name = ("main".to_owned(), name);
                    let difference = after - before - restored_into(Dialect::Sqlite, &name, tables, by_table).rows;
                    (name, ChangedRows { inserted: difference.max(0), deleted: (-difference).max(0), updated: 0 })
                });
                unexplained.collect()
            }
        };
        let unexplained = unexplained.into_iter().filter(|(_, changed)| *changed != ChangedRows::default()).collect();
        conflicts_of(tx, db, unexplained).await
    }
}

/// Returns a conflict for each table with unexplained changes.
///
/// A table that is not reachable from sessions may grow, because a trigger may write a log.
async fn conflicts_of(
    tx: &DatabaseTransaction,
    db: &Database,
    mut unexplained: Vec<(TableName, ChangedRows)>,
) -> Result<Vec<Conflict>, Error> {
    if unexplained.is_empty() {
        return Ok(Vec::new());
    }
    let graph = catalog::load_graph(tx, db.dialect(), db.schema()).await?;
    let only_grows = |changed: &ChangedRows| changed.updated == 0 && changed.deleted == 0;
    unexplained.retain(|((schema, name), changed)| !only_grows(changed) || graph.find(schema, name).is_some());
    unexplained.sort_by(|first, second| first.0.cmp(&second.0));
    let display =
        |(schema, name): &TableName| if schema == db.schema() { name.clone() } else { format!("{schema}.{name}") };
    Ok(unexplained.iter().map(|(name, changed)| table_conflict(&display(name), message(changed))).collect())
}

/// Returns the counts restored into a table. A table may have two archived tables: its rows and its references.
fn restored_into(
    dialect: Dialect,
    (schema, name): &TableName,
    tables: &[ArchivedTable],
    by_table: &[RestoredCounts],
) -> RestoredCounts {
    let table_counts = tables
        .iter()
        .zip(by_table)
        .filter(|(table, _)| table.name.0 == *schema && dialect.is_same_name(&table.name.1, name));
    RestoredCounts::sum(table_counts.map(|(_, counts)| counts))
}

/// Returns PostgreSQL's counts for a table minus the counts that were restored into it.
///
/// A row that moves to another partition together with its reference counts as deleted in one partition and inserted in
/// the other.
fn unexplained_on_postgres(
    name: &TableName,
    before: &ChangedRows,
    after: &ChangedRows,
    tables: &[ArchivedTable],
    by_table: &[RestoredCounts],
) -> ChangedRows {
    let restored = restored_into(Dialect::Postgres, name, tables, by_table);
    let mut live_tables = tables.iter().filter(|table| table.name == *name).flat_map(|table| &table.live);
    let is_partitioned = live_tables.any(|live| live.partitioned);
    let deleted = after.deleted - before.deleted;
    let moved = if is_partitioned { deleted.min(restored.relinked) } else { 0 };
    ChangedRows {
        inserted: after.inserted - before.inserted - moved - restored.rows,
        updated: after.updated - before.updated + moved - restored.relinked,
        deleted: deleted - moved,
    }
}

/// Returns whether a foreign key refers to a column that is set again.
fn is_referenced(table: &ArchivedTable, tables: &[ArchivedTable]) -> bool {
    let ArchiveLayout::References(layout) = &table.layout else { return false };
    let same = |first: &str, second: &str| Dialect::Sqlite.is_same_name(first, second);
    let is_cleared = |name: &String| layout.cleared.iter().any(|column| same(&column.name, name));
    let references = tables.iter().flat_map(|table| &table.live).flat_map(|live| &live.references);
    let mut to_table = references.filter(|reference| same(&reference.referenced.1, &table.name.1));
    to_table.any(|reference| reference.referenced_columns.iter().any(is_cleared))
}

fn message(changed: &ChangedRows) -> String {
    let counts = [("added", changed.inserted), ("changed", changed.updated), ("deleted", changed.deleted)];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(_, count)| *count != 0)
        .map(|(what, count)| format!("{} {what}", count.abs()))
        .collect();
    format!(
        "The restore would also change rows that are not in the archive ({}), probably by a trigger. Disable the \
         trigger, then restore again.",
        counts.join(", ")
    )
}
