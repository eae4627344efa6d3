//! References that were cleared, in SQL: the kept row `r` and the row `c` that it was of.

use std::collections::BTreeSet;

use super::archived_table::Entry;
use crate::catalog::live_table::{Present, PresentColumn};
use crate::db::{Dialect, quote};
use crate::deletion::archive::References;

/// Tables (schema, name) with rows that were unlinked and could not be kept.
pub(super) type Lacking = BTreeSet<(String, String)>;

/// What stood in a column, as a value of its type.
pub(super) fn before_as(dialect: Dialect, value: &str, column: &PresentColumn) -> String {
    match dialect {
        Dialect::Postgres => format!("CAST({value} AS {})", column.type_name),
        Dialect::Sqlite => value.to_owned(),
    }
}

/// Whether a value is the one that is kept as text (PostgreSQL).
pub(super) fn same_value(value: &str, kept: &str, column: &PresentColumn) -> String {
    let kept = before_as(Dialect::Postgres, kept, column);
    format!("{} IS NOT DISTINCT FROM {}", column.text(value), column.text(&kept))
}

impl References {
    /// Leaves out the references that lack a column now; [`fit::lost`](super::checks::schema_drift::lost) says whether they held something.
    pub(super) fn keep_to(&mut self, dialect: Dialect, present: &Present) {
        let has = |place: &usize| present.column(dialect, &self.cleared[*place].name).is_some();
        self.units.retain(|unit| unit.iter().all(has));
    }

    /// Where what stood in a cleared column is kept.
    pub(super) fn before(&self, place: usize) -> usize {
        self.key.len() + place
    }

    /// Where what it was left with is kept.
    pub(super) fn after(&self, place: usize) -> usize {
        self.key.len() + self.cleared.len() + place
    }

    /// `c` is the row that `r` was of.
    pub(super) fn same_row(&self, dialect: Dialect, present: &Present) -> String {
        let pairs = self.key.iter().enumerate().map(|(place, kept)| {
            let value = Entry::value(dialect, place);
            let (equals, value) = match present.column(dialect, &kept.name) {
                Some(now) => (now.equals.as_str(), before_as(dialect, &value, now)),
                None => ("=", value),
            };
            format!("c.{} {equals} {value}", quote(&kept.name))
        });
        pairs.collect::<Vec<_>>().join(" AND ")
    }

    /// The deletion cleared this reference of the row.
    pub(super) fn was_cleared(&self, dialect: Dialect, unit: &[usize]) -> String {
        let differs = unit.iter().map(|&place| {
            let (before, after) = (Entry::value(dialect, self.before(place)), Entry::value(dialect, self.after(place)));
            match dialect {
                Dialect::Postgres => format!("{before} IS DISTINCT FROM {after}"),
                Dialect::Sqlite => format!("{before} IS NOT {after}"),
            }
        });
        format!("({})", differs.collect::<Vec<_>>().join(" OR "))
    }

    /// The same, nobody has set it since, and it leads somewhere: rows without a key, which could not be kept, may lack what
    /// it refers to.
    pub(super) fn applies(&self, dialect: Dialect, unit: &[usize], present: &Present, lacking: &Lacking) -> String {
        let still = unit.iter().map(|&place| {
            let name = &self.cleared[place].name;
            let (now, after) = (format!("c.{}", quote(name)), Entry::value(dialect, self.after(place)));
            match (dialect, present.column(dialect, name)) {
                (Dialect::Postgres, Some(column)) => same_value(&now, &after, column),
                _ => format!("{now} IS {after}"),
            }
        });
        let mut conditions = vec![self.was_cleared(dialect, unit)];
        conditions.extend(still);
        conditions.extend(self.leading(dialect, unit, present, lacking));
        format!("({})", conditions.join(" AND "))
    }

    /// There is a row that the reference leads to, where that is in doubt.
    fn leading(&self, dialect: Dialect, unit: &[usize], present: &Present, lacking: &Lacking) -> Vec<String> {
        let place =
            |name: &String| unit.iter().copied().find(|&place| dialect.same_name(&self.cleared[place].name, name));
        let doubtful = present.references.iter().filter(|reference| {
            lacking.contains(&reference.whole) && reference.columns.iter().any(|name| place(name).is_some())
        });
        let exists = doubtful.map(|reference| {
            let pairs = reference.columns.iter().enumerate().map(|(number, name)| {
                let value = match (place(name), present.column(dialect, name)) {
                    (Some(place), Some(now)) => before_as(dialect, &Entry::value(dialect, self.before(place)), now),
                    _ => format!("c.{}", quote(name)),
                };
                reference.same(dialect, number, "p", &value)
            });
            let same = pairs.collect::<Vec<_>>().join(" AND ");
            format!("EXISTS (SELECT 1 FROM {} p WHERE {same})", reference.relation(dialect))
        });
        exists.collect()
    }

    /// How many of a row's references meet a condition.
    pub(super) fn counted(&self, condition: impl Fn(&[usize]) -> String) -> String {
        let counts = self.units.iter().map(|unit| format!("CASE WHEN {} THEN 1 ELSE 0 END", condition(unit)));
        counts.collect::<Vec<_>>().join(" + ")
    }
}
