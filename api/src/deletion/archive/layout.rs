//! The layout of archived rows: which column each archived value belongs to. It is stored with every archive, since
//! tables change.

use serde::{Deserialize, Serialize};

use crate::catalog::{Table, TableId};
use crate::impact::sql::PlanSql;
use crate::impact::sql::changes::cleared_columns;

/// The most values of a row on SQLite: its tables have 2,000 columns at most
/// (<https://www.sqlite.org/limits.html#max_column>), and one is the entry's number.
pub(super) const MAX_WIDTH: usize = 1_999;

/// An archived column as it was at the time of the deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ArchivedColumn {
    /// The column's name.
    pub name: String,
    /// The column's type, as the database writes it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The oid of the table and the number of the column (PostgreSQL), by which a renamed column is found.
    #[serde(default)]
    pub number: (i64, i64),
    /// Whether the column is generated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub generated: bool,
    /// Whether a cast to text differs from what the column's type writes. It is not stored: the catalog says it anew.
    #[serde(skip)]
    pub odd_cast: bool,
}

/// The layout of an archived row: one value for each of these columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RowLayout {
    /// All columns that the table stores. Virtual generated columns are computed at every read and cannot be lost.
    pub columns: Vec<ArchivedColumn>,
    /// The places of the columns that identify a row.
    pub key: Vec<usize>,
}

/// The layout of an unlinked row: its key, the values that its cleared columns had before, and those that they had
/// after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReferenceLayout {
    /// The columns that identify the row.
    pub key: Vec<ArchivedColumn>,
    /// The columns that were cleared in some row; not each of them in every row.
    pub cleared: Vec<ArchivedColumn>,
    /// Groups of places in `cleared` that make one reference: its columns are set again together, or not at all.
    pub units: Vec<Vec<usize>>,
}

impl RowLayout {
    /// Returns the layout for the rows of a table.
    pub(super) fn from_table(table: &Table) -> Self {
        let stored = table.columns.iter().filter(|column| !column.is_virtual);
        let columns: Vec<ArchivedColumn> = stored.map(|column| archived_column(table, &column.name)).collect();
        let place = |name: &String| columns.iter().position(|column| column.name == *name);
        // A virtual column may be part of a key; then the other columns do not identify a row.
        let key = table.key.iter().map(place).collect::<Option<Vec<_>>>().unwrap_or_default();
        Self { columns, key }
    }
}

impl ReferenceLayout {
    /// Returns the layout for the unlinked rows of a table; none where the table has no key to find its rows by.
    pub(super) fn from_sql(sql: &PlanSql<'_>, id: TableId) -> Option<Self> {
        let table = sql.table(id);
        let cleared = cleared_columns(sql, id);
        if table.key.is_empty() || cleared.is_empty() {
            return None;
        }
        let mut groups: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
        for (place, causes) in cleared.values().enumerate() {
            let mut group = (vec![place], causes.iter().map(|(edge, _)| *edge).collect::<Vec<_>>());
            // The columns of one key belong together, and so do those of keys that share a column.
            groups.retain(|(places, edges)| {
                let shares = edges.iter().any(|edge| group.1.contains(edge));
                if shares {
                    group.0.extend(places);
                    group.1.extend(edges);
                }
                !shares
            });
            groups.push(group);
        }
        Some(Self {
            key: table.key.iter().map(|name| archived_column(table, name)).collect(),
            cleared: cleared.keys().map(|name| archived_column(table, name)).collect(),
            units: groups.into_iter().map(|(places, _)| places).collect(),
        })
    }

    /// Returns the number of values of a row.
    pub fn width(&self) -> usize {
        self.key.len() + 2 * self.cleared.len()
    }
}

fn archived_column(table: &Table, name: &str) -> ArchivedColumn {
    let found = table.columns.iter().find(|column| column.name == name);
    ArchivedColumn {
        name: found.map_or(name, |column| &column.name).to_owned(),
        type_name: found.map(|column| column.type_name.clone()).unwrap_or_default(),
        number: (table.oid, found.map_or(0, |column| column.number)),
        generated: found.is_some_and(|column| column.generated),
        odd_cast: found.is_some_and(|column| column.has_custom_text_cast),
    }
}

#[cfg(test)]
mod tests {
    use super::RowLayout;
    use crate::catalog::{Column, Table};

    #[test]
    fn what_is_worked_out_is_kept_where_it_is_stored() {
        let column = |name: &str, generated, unstored| {
            let name = name.to_owned();
            Column { name, generated, is_virtual: unstored, ..Column::default() }
        };
        let table = Table {
            columns: vec![
                column("a", false, false),
                column("seen", true, true),
                column("sum", true, false),
                column("b", false, false),
            ],
            key: vec!["b".to_owned()],
            ..Table::default()
        };
        let layout = RowLayout::from_table(&table);
        assert_eq!(layout.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["a", "sum", "b"]);
        assert_eq!(layout.columns.iter().map(|column| column.generated).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(layout.key, [2]);
    }
}
