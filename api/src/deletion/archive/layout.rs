//! Which column each kept value is of; written down with every archive, since tables change.

use serde::{Deserialize, Serialize};

use crate::catalog::{Table, TableId};
use crate::impact::sql::Sql;
use crate::impact::sql::changes::cleared;

/// So many values a row has room for: SQLite's tables have 2,000 columns at most
/// (<https://www.sqlite.org/limits.html#max_column>), and one is the entry's number.
pub(super) const WIDEST: usize = 1_999;

/// A column as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptColumn {
    /// Its name.
    pub name: String,
    /// Its type, as the database writes it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The numbers of its table and of it (PostgreSQL), by which a renamed column is known.
    #[serde(default)]
    pub number: (i64, i64),
    /// The database worked its value out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub generated: bool,
    /// Its cast to text is not what its type writes; told anew by the catalogue of the day.
    #[serde(skip)]
    pub odd_cast: bool,
}

/// The values of a row that went: one for each of these columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rows {
    /// All that the table stored: what the database works out at every reading cannot be lost.
    pub columns: Vec<KeptColumn>,
    /// The places of the columns that tell its rows apart.
    pub key: Vec<usize>,
}

/// The values of a row that was unlinked: its key, what stood in the cleared columns, and what they were left with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct References {
    /// The columns that find the row again.
    pub key: Vec<KeptColumn>,
    /// The columns that some reference was cleared in; not in every row each of them.
    pub cleared: Vec<KeptColumn>,
    /// The places in `cleared` that make one reference: they are set again together, or not at all.
    pub units: Vec<Vec<usize>>,
}

impl Rows {
    pub(super) fn of(table: &Table) -> Self {
        let kept = table.columns.iter().filter(|column| !column.unstored);
        let columns: Vec<KeptColumn> = kept.map(|column| kept_column(table, &column.name)).collect();
        let place = |name: &String| columns.iter().position(|column| column.name == *name);
        // Such a column may be part of a key; then what is left of it does not tell rows apart.
        let key = table.key.iter().map(place).collect::<Option<Vec<_>>>().unwrap_or_default();
        Self { columns, key }
    }
}

impl References {
    /// None where the table has no key to find its rows by.
    pub(super) fn of(sql: &Sql<'_>, id: TableId) -> Option<Self> {
        let table = sql.table(id);
        let cleared = cleared(sql, id);
        if table.key.is_empty() || cleared.is_empty() {
            return None;
        }
        let mut units: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
        for (place, causes) in cleared.values().enumerate() {
            let mut unit = (vec![place], causes.iter().map(|(edge, _)| *edge).collect::<Vec<_>>());
            // What one key clears belongs together, and so does what shares a column with it.
            units.retain(|(places, edges)| {
                let shares = edges.iter().any(|edge| unit.1.contains(edge));
                if shares {
                    unit.0.extend(places);
                    unit.1.extend(edges);
                }
                !shares
            });
            units.push(unit);
        }
        Some(Self {
            key: table.key.iter().map(|name| kept_column(table, name)).collect(),
            cleared: cleared.keys().map(|name| kept_column(table, name)).collect(),
            units: units.into_iter().map(|(places, _)| places).collect(),
        })
    }

    /// How many values a row has.
    pub fn width(&self) -> usize {
        self.key.len() + 2 * self.cleared.len()
    }
}

fn kept_column(table: &Table, name: &str) -> KeptColumn {
    let found = table.columns.iter().find(|column| column.name == name);
    KeptColumn {
        name: found.map_or(name, |column| &column.name).to_owned(),
        type_name: found.map(|column| column.type_name.clone()).unwrap_or_default(),
        number: (table.oid, found.map_or(0, |column| column.number)),
        generated: found.is_some_and(|column| column.generated),
        odd_cast: found.is_some_and(|column| column.odd_cast),
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;
    use crate::catalog::{Column, Table};

    #[test]
    fn what_is_worked_out_is_kept_where_it_is_stored() {
        let column = |name: &str, generated, unstored| {
            let name = name.to_owned();
            Column { name, generated, unstored, ..Column::default() }
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
        let layout = Rows::of(&table);
        assert_eq!(layout.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["a", "sum", "b"]);
        assert_eq!(layout.columns.iter().map(|column| column.generated).collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(layout.key, [2]);
    }
}
