//! The rows that a restore would produce, as an SQL relation.

use super::archived_table::ArchivedTable;
use super::references::{UnarchivedTables, cast_to_column};
use crate::catalog::live_table::{LiveColumn, LiveTable};
use crate::db::{Dialect, quote};
use crate::deletion::archive::entries::{ArchiveLayout, archived_rows_table};
use crate::deletion::archive::{ReferenceLayout, RowLayout};

/// The rows that a restore would produce in one table, as an SQL relation.
///
/// The relation has the live table's column names, types and collations, so that expressions of indexes and constraints
/// can be evaluated on it.
pub(super) struct TargetRows<'a> {
    pub archived: &'a ArchivedTable,
    pub live: &'a LiveTable,
    /// The SQL of the relation, in parentheses. Its column `session_admin_key` is the row's key as text.
    pub relation: String,
    columns: Vec<&'a str>,
    /// The key columns of existing rows, in SQL, each with its comparison operator. Empty for rows to insert.
    pub existing: Vec<(String, &'a str)>,
}

impl<'a> TargetRows<'a> {
    /// Returns the target rows of an archived table, or `None` if nothing of it can be restored. Other checks report
    /// that.
    pub fn new(dialect: Dialect, archived: &'a ArchivedTable, unarchived: &UnarchivedTables) -> Option<Self> {
        let live = archived.live.as_ref()?;
        match &archived.layout {
            ArchiveLayout::Rows(layout) => Some(Self::inserted(dialect, archived, live, layout)),
            ArchiveLayout::References(layout) if !layout.units.is_empty() => {
                Some(Self::relinked(dialect, archived, live, layout, unarchived))
            }
            ArchiveLayout::References(_) => None,
        }
    }

    /// Returns whether the relation has a column with this name.
    pub fn has_column(&self, dialect: Dialect, name: &str) -> bool {
        self.columns.iter().any(|column| dialect.is_same_name(column, name))
    }

    /// Returns the rows to insert. On PostgreSQL they include generated columns, which unique keys may contain.
    fn inserted(dialect: Dialect, archived: &'a ArchivedTable, live: &'a LiveTable, layout: &'a RowLayout) -> Self {
        let columns = layout.columns.iter().enumerate();
        let columns = columns.filter_map(|(position, column)| Some((position, live.column(dialect, &column.name)?)));
        let columns = columns.filter(|(_, column)| !column.generated || dialect == Dialect::Postgres);
        let columns: Vec<(usize, &LiveColumn)> = columns.collect();
        let selected = columns.iter().map(|(position, column)| {
            as_column(&cast_to_column(dialect, &ArchivedTable::value(dialect, *position), column), column)
        });
        let selected: Vec<String> = selected.collect();
        let relation = format!(
            "(SELECT {} AS session_admin_key, {} {})",
            archived.key_text(dialect),
            selected.join(", "),
            archived.rows_clause(dialect)
        );
        let columns = columns.into_iter().map(|(_, column)| column.name.as_str()).collect();
        Self { archived, live, relation, columns, existing: Vec::new() }
    }

    /// Returns the existing rows with their references set again.
    ///
    /// A reference that has already been set again is included, because on SQLite the checks run after the attempt.
    fn relinked(
        dialect: Dialect,
        archived: &'a ArchivedTable,
        live: &'a LiveTable,
        layout: &'a ReferenceLayout,
        unarchived: &UnarchivedTables,
    ) -> Self {
        let mut set: Vec<(&str, String)> = Vec::new();
        let mut conditions = Vec::new();
        for unit in &layout.units {
            let can_be_set = layout.can_be_set(dialect, unit, live, unarchived);
            for &position in unit {
                let Some(column) = live.column(dialect, &layout.cleared[position].name) else { continue };
                let before = ArchivedTable::value(dialect, layout.before(position));
                let before = cast_to_column(dialect, &before, column);
                let name = quote(&column.name);
                set.push((&column.name, format!("CASE WHEN {can_be_set} THEN {before} ELSE live.{name} END")));
            }
            conditions.push(can_be_set);
            conditions.push(layout.is_set(dialect, unit, live));
        }
        let selected = live.columns.iter().map(|column| {
            let value = set.iter().find(|(name, _)| *name == column.name).map(|(_, value)| value);
            value.map_or_else(|| format!("live.{0} AS {0}", quote(&column.name)), |value| as_column(value, column))
        });
        let selected: Vec<String> = selected.collect();
        let relation = format!(
            "(SELECT {} AS session_admin_key, {} FROM {} archived JOIN {} live ON {} WHERE archived.table_id = {} AND ({}))",
            archived.key_text(dialect),
            selected.join(", "),
            archived_rows_table(dialect),
            live.relation(dialect),
            layout.is_same_row(dialect, live),
            archived.id,
            conditions.join(" OR ")
        );
        let existing = layout.key.iter().map(|key| {
            let column = live.column(dialect, &key.name);
            (quote(&key.name), column.map_or("=", |column| column.equals.as_str()))
        });
        let existing = existing.collect();
        let columns = live.columns.iter().map(|column| column.name.as_str()).collect();
        Self { archived, live, relation, columns, existing }
    }
}

/// Returns an SQL expression with the column's name and collation.
fn as_column(value: &str, column: &LiveColumn) -> String {
    let collation = column.collation.as_ref().map_or_else(String::new, |name| format!(" COLLATE {name}"));
    format!("({value}){collation} AS {}", quote(&column.name))
}
