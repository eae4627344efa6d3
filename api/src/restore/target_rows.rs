//! The rows that a restore wants in a table, as a relation that the catalogue's own expressions can be read over: kept rows
//! under the columns' own names, types and collations, and rows that are there with their references set again.

use super::archived_table::{Entry, Kept};
use super::references::{Lacking, before_as, same_value};
use crate::catalog::live_table::{Present, PresentColumn};
use crate::db::{Dialect, quote};
use crate::deletion::archive::{References, Rows};

/// What one entry wants in its table.
pub(super) struct Wanted<'a> {
    pub entry: &'a Entry,
    pub present: &'a Present,
    /// The rows, in parentheses; `session_admin_key` is their key as text.
    pub relation: String,
    /// The columns that it has.
    columns: Vec<&'a str>,
    /// The rows are there already: what finds them again, with the operator that compares it.
    pub there: Vec<(String, &'a str)>,
}

impl<'a> Wanted<'a> {
    /// None where nothing of it can be put back, which is somebody else's to say.
    pub fn of(dialect: Dialect, entry: &'a Entry, lacking: &Lacking) -> Option<Self> {
        let present = entry.present.as_ref()?;
        match &entry.kept {
            Kept::Rows(layout) => Some(Self::rows(dialect, entry, present, layout)),
            Kept::References(layout) if !layout.units.is_empty() => {
                Some(Self::relinked(dialect, entry, present, layout, lacking))
            }
            Kept::References(_) => None,
        }
    }

    /// It has this column.
    pub fn has(&self, dialect: Dialect, name: &str) -> bool {
        self.columns.iter().any(|column| dialect.same_name(column, name))
    }

    /// On PostgreSQL with what the database had worked out: keys compare that, too.
    fn rows(dialect: Dialect, entry: &'a Entry, present: &'a Present, layout: &'a Rows) -> Self {
        let columns = layout.columns.iter().enumerate();
        let columns = columns.filter_map(|(place, kept)| Some((place, present.column(dialect, &kept.name)?)));
        let columns = columns.filter(|(_, column)| !column.generated || dialect == Dialect::Postgres);
        let columns: Vec<(usize, &PresentColumn)> = columns.collect();
        let selected = columns.iter();
        let selected =
            selected.map(|(place, column)| named(&before_as(dialect, &Entry::value(dialect, *place), column), column));
        let selected: Vec<String> = selected.collect();
        let relation = format!(
            "(SELECT {} AS session_admin_key, {} {})",
            entry.key_text(dialect),
            selected.join(", "),
            entry.from(dialect)
        );
        let columns = columns.into_iter().map(|(_, column)| column.name.as_str()).collect();
        Self { entry, present, relation, columns, there: Vec::new() }
    }

    /// A reference that has been set again already counts as well: SQLite is asked after it has been tried.
    fn relinked(
        dialect: Dialect,
        entry: &'a Entry,
        present: &'a Present,
        layout: &'a References,
        lacking: &Lacking,
    ) -> Self {
        let mut set: Vec<(&str, String)> = Vec::new();
        let mut either = Vec::new();
        for unit in &layout.units {
            let applies = layout.applies(dialect, unit, present, lacking);
            for &place in unit {
                let Some(column) = present.column(dialect, &layout.cleared[place].name) else { continue };
                let before = before_as(dialect, &Entry::value(dialect, layout.before(place)), column);
                let now = quote(&column.name);
                set.push((&column.name, format!("CASE WHEN {applies} THEN {before} ELSE c.{now} END")));
            }
            either.push(applies);
            either.push(is_set(dialect, layout, unit, present));
        }
        let selected = present.columns.iter().map(|column| {
            let value = set.iter().find(|(name, _)| *name == column.name).map(|(_, value)| value);
            value.map_or_else(|| format!("c.{0} AS {0}", quote(&column.name)), |value| named(value, column))
        });
        let selected: Vec<String> = selected.collect();
        let relation = format!(
            "(SELECT {} AS session_admin_key, {} FROM {} r JOIN {} c ON {} WHERE r.table_id = {} AND ({}))",
            entry.key_text(dialect),
            selected.join(", "),
            dialect.own_table("archived_rows"),
            present.relation(dialect),
            layout.same_row(dialect, present),
            entry.id,
            either.join(" OR ")
        );
        let there = layout.key.iter().map(|kept| {
            let column = present.column(dialect, &kept.name);
            (quote(&kept.name), column.map_or("=", |column| column.equals.as_str()))
        });
        let there = there.collect();
        let columns = present.columns.iter().map(|column| column.name.as_str()).collect();
        Self { entry, present, relation, columns, there }
    }
}

/// An expression as a column of this name and collation.
fn named(value: &str, column: &PresentColumn) -> String {
    let collation = column.collation.as_ref().map_or_else(String::new, |name| format!(" COLLATE {name}"));
    format!("({value}){collation} AS {}", quote(&column.name))
}

/// The reference is there again.
fn is_set(dialect: Dialect, layout: &References, unit: &[usize], present: &Present) -> String {
    let same = unit.iter().filter_map(|&place| {
        let column = present.column(dialect, &layout.cleared[place].name)?;
        let (now, before) = (format!("c.{}", quote(&column.name)), Entry::value(dialect, layout.before(place)));
        Some(match dialect {
            Dialect::Postgres => same_value(&now, &before, column),
            Dialect::Sqlite => format!("{now} IS {before}"),
        })
    });
    let same: Vec<String> = same.collect();
    format!("({} AND {})", layout.was_cleared(dialect, unit), same.join(" AND "))
}
