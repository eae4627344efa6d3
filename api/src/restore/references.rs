//! SQL over cleared references. The alias `archived` is a row of the archive, and `live` is the matching row of the
//! table.

use std::collections::BTreeSet;

use super::archived_table::ArchivedTable;
use crate::catalog::live_table::{LiveColumn, LiveTable};
use crate::db::{Dialect, quote};
use crate::deletion::archive::ReferenceLayout;

/// The schemas and names of tables with unlinked rows that could not be archived.
pub(super) type UnarchivedTables = BTreeSet<(String, String)>;

/// Returns SQL for an archived value, cast to the column's type.
pub(super) fn cast_to_column(dialect: Dialect, value: &str, column: &LiveColumn) -> String {
    match dialect {
        Dialect::Postgres => format!("CAST({value} AS {})", column.type_name),
        Dialect::Sqlite => value.to_owned(),
    }
}

/// Returns the condition that a live value equals an archived one, compared as text (PostgreSQL).
pub(super) fn equals_archived(value: &str, archived: &str, column: &LiveColumn) -> String {
    let archived = cast_to_column(Dialect::Postgres, archived, column);
    format!("{} IS NOT DISTINCT FROM {}", column.text(value), column.text(&archived))
}

impl ReferenceLayout {
    /// Removes the references whose columns no longer all exist.
    ///
    /// [`schema_drift`](super::checks::schema_drift::schema_drift) reports whether they had values.
    pub(super) fn retain_live(&mut self, dialect: Dialect, live: &LiveTable) {
        let exists = |position: &usize| live.column(dialect, &self.cleared[*position].name).is_some();
        self.units.retain(|unit| unit.iter().all(exists));
    }

    /// Returns the position of the value that a cleared column had before the deletion.
    pub(super) fn before(&self, position: usize) -> usize {
        self.key.len() + position
    }

    /// Returns the position of the value that the deletion left in a cleared column.
    pub(super) fn after(&self, position: usize) -> usize {
        self.key.len() + self.cleared.len() + position
    }

    /// Returns the condition that `live` is the row that `archived` belongs to.
    pub(super) fn is_same_row(&self, dialect: Dialect, live: &LiveTable) -> String {
        let pairs = self.key.iter().enumerate().map(|(position, archived)| {
            let value = ArchivedTable::value(dialect, position);
            let (equals, value) = match live.column(dialect, &archived.name) {
                Some(column) => (column.equals.as_str(), cast_to_column(dialect, &value, column)),
                None => ("=", value),
            };
            format!("live.{} {equals} {value}", quote(&archived.name))
        });
        pairs.collect::<Vec<_>>().join(" AND ")
    }

    /// Returns the condition that the deletion cleared this reference of `archived`.
    pub(super) fn was_cleared(&self, dialect: Dialect, unit: &[usize]) -> String {
        let differs = unit.iter().map(|&position| {
            let before = ArchivedTable::value(dialect, self.before(position));
            let after = ArchivedTable::value(dialect, self.after(position));
            match dialect {
                Dialect::Postgres => format!("{before} IS DISTINCT FROM {after}"),
                Dialect::Sqlite => format!("{before} IS NOT {after}"),
            }
        });
        format!("({})", differs.collect::<Vec<_>>().join(" OR "))
    }

    /// Returns the condition that a reference can be set again.
    ///
    /// The deletion must have cleared it, `live` must still have the values that the deletion left, and a parent row
    /// must exist wherever that is in doubt.
    pub(super) fn can_be_set(
        &self,
        dialect: Dialect,
        unit: &[usize],
        live: &LiveTable,
        unarchived: &UnarchivedTables,
    ) -> String {
        let unchanged = unit.iter().map(|&position| {
            let name = &self.cleared[position].name;
            let value = format!("live.{}", quote(name));
            let after = ArchivedTable::value(dialect, self.after(position));
            match (dialect, live.column(dialect, name)) {
                (Dialect::Postgres, Some(column)) => equals_archived(&value, &after, column),
                _ => format!("{value} IS {after}"),
            }
        });
        let mut conditions = vec![self.was_cleared(dialect, unit)];
        conditions.extend(unchanged);
        conditions.extend(self.parents_exist(dialect, unit, live, unarchived));
        format!("({})", conditions.join(" AND "))
    }

    /// Returns the condition that a reference of `live` has its value from before the deletion.
    pub(super) fn is_set(&self, dialect: Dialect, unit: &[usize], live: &LiveTable) -> String {
        let same = unit.iter().filter_map(|&position| {
            let column = live.column(dialect, &self.cleared[position].name)?;
            let value = format!("live.{}", quote(&column.name));
            let before = ArchivedTable::value(dialect, self.before(position));
            Some(match dialect {
                Dialect::Postgres => equals_archived(&value, &before, column),
                Dialect::Sqlite => format!("{value} IS {before}"),
            })
        });
        format!("({} AND {})", self.was_cleared(dialect, unit), same.collect::<Vec<_>>().join(" AND "))
    }

    /// Returns the conditions that a parent row exists, for each foreign key of a reference to a table with unarchived
    /// rows.
    ///
    /// A parent row in such a table may have been lost.
    fn parents_exist(
        &self,
        dialect: Dialect,
        unit: &[usize],
        live: &LiveTable,
        unarchived: &UnarchivedTables,
    ) -> Vec<String> {
        let position_of = |name: &String| {
            unit.iter().copied().find(|&position| dialect.is_same_name(&self.cleared[position].name, name))
        };
        let doubtful = live.references.iter().filter(|reference| {
            unarchived.contains(&reference.whole) && reference.columns.iter().any(|name| position_of(name).is_some())
        });
        let exists = doubtful.map(|reference| {
            let pairs = reference.columns.iter().enumerate().map(|(number, name)| {
                let value = match (position_of(name), live.column(dialect, name)) {
                    (Some(position), Some(column)) => {
                        cast_to_column(dialect, &ArchivedTable::value(dialect, self.before(position)), column)
                    }
                    _ => format!("live.{}", quote(name)),
                };
                reference.equals_parent(dialect, number, "parent", &value)
            });
            let same = pairs.collect::<Vec<_>>().join(" AND ");
            format!("EXISTS (SELECT 1 FROM {} parent WHERE {same})", reference.relation(dialect))
        });
        exists.collect()
    }

    /// Returns SQL that counts the references of a row that match a condition.
    pub(super) fn count_where(&self, condition: impl Fn(&[usize]) -> String) -> String {
        let counts = self.units.iter().map(|unit| format!("CASE WHEN {} THEN 1 ELSE 0 END", condition(unit)));
        counts.collect::<Vec<_>>().join(" + ")
    }
}
