//! The archived tables of a deletion, each with its live table.

use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use crate::catalog::live_table;
use crate::catalog::live_table::LiveTable;
use crate::db::{Database, Dialect};
use crate::deletion::archive::RowLayout;
use crate::deletion::archive::entries::{self, ArchiveEntry, ArchiveLayout, archived_rows_table};
use crate::error::Error;

/// A row of `archived_tables`: the part of one table that a deletion archived.
///
/// SQL over the archive uses the alias `archived` for a row of `archived_rows`.
#[derive(Debug, Clone)]
pub(super) struct ArchivedTable {
    /// The id, which `archived_rows.table_id` refers to.
    pub id: i64,
    pub deletion_id: Uuid,
    /// The display name in messages: `schema.name` outside the business schema.
    pub display: String,
    /// The table's schema and name at the time of the deletion.
    pub name: (String, String),
    pub layout: ArchiveLayout,
    /// The live table, or `None` if it no longer exists.
    pub live: Option<LiveTable>,
}

impl ArchivedTable {
    /// Returns the layout of the archived rows, or `None` if the archive contains references.
    pub fn rows(&self) -> Option<&RowLayout> {
        match &self.layout {
            ArchiveLayout::Rows(rows) => Some(rows),
            ArchiveLayout::References(_) => None,
        }
    }

    /// Returns SQL for one value of `archived`.
    pub fn value(dialect: Dialect, position: usize) -> String {
        match dialect {
            Dialect::Postgres => format!("archived.\"values\"[{}]", position + 1),
            Dialect::Sqlite => format!("archived.v{}", position + 1),
        }
    }

    /// Returns SQL for one value of `archived` as text.
    pub fn text(dialect: Dialect, position: usize) -> String {
        let value = Self::value(dialect, position);
        if dialect == Dialect::Sqlite { sqlite_text(&value) } else { value }
    }

    /// Returns `FROM … WHERE …` over this table's archived rows.
    pub fn rows_clause(&self, dialect: Dialect) -> String {
        format!("FROM {} archived WHERE archived.table_id = {}", archived_rows_table(dialect), self.id)
    }

    /// Returns SQL for the key of `archived` as text.
    pub fn key_text(&self, dialect: Dialect) -> String {
        let positions: Vec<usize> = match &self.layout {
            ArchiveLayout::Rows(rows) => rows.key.clone(),
            ArchiveLayout::References(references) => (0..references.key.len()).collect(),
        };
        let texts: Vec<String> = positions.into_iter().map(|position| Self::text(dialect, position)).collect();
        if texts.is_empty() { "''".to_owned() } else { texts.join(" || ', ' || ") }
    }
}

/// Returns SQL for any value of SQLite as text. A blob need not be valid text, so it is written as an SQL literal.
pub(super) fn sqlite_text(value: &str) -> String {
    format!("CASE typeof({value}) WHEN 'blob' THEN 'x''' || lower(hex({value})) || '''' ELSE CAST({value} AS text) END")
}

/// Loads the archived tables of a deletion with the live tables.
pub(super) async fn load(
    tx: &DatabaseTransaction,
    db: &Database,
    deletion_id: Uuid,
) -> Result<Vec<ArchivedTable>, Error> {
    let entries = entries::entries_of_deletion(tx, db, deletion_id).await?;
    let mut tables: Vec<ArchivedTable> = entries.into_iter().map(|entry| from_entry(db, entry)).collect();
    let names: Vec<(String, String)> = tables.iter().map(|table| table.name.clone()).collect();
    let live_tables = live_table::load(tx, db, &names).await?;
    for table in &mut tables {
        table.live = live_tables.iter().find(|live| live.has_name(db.dialect(), &table.name)).cloned();
        if let (ArchiveLayout::References(layout), Some(live)) = (&mut table.layout, &table.live) {
            layout.retain_live(db.dialect(), live);
        }
    }
    Ok(tables)
}

/// Loads the archived rows of one table from later deletions that can still be restored. The live table is not loaded.
pub(super) async fn load_of_later_deletions(
    tx: &DatabaseTransaction,
    db: &Database,
    deletion_id: Uuid,
    (schema, name): &(String, String),
) -> Result<Vec<ArchivedTable>, Error> {
    let entries = entries::entries_of_later_deletions(tx, db, deletion_id, schema, name).await?;
    Ok(entries.into_iter().map(|entry| from_entry(db, entry)).collect())
}

fn from_entry(db: &Database, entry: ArchiveEntry) -> ArchivedTable {
    let ArchiveEntry { id, deletion_id, schema, table, layout } = entry;
    ArchivedTable {
        id,
        deletion_id,
        display: if schema == db.schema() { table.clone() } else { format!("{schema}.{table}") },
        name: (schema, table),
        layout,
        live: None,
    }
}
