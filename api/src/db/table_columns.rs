//! The columns a host table actually has. Only the primary ones are guaranteed; the rest are optional.

use std::collections::{HashMap, HashSet};

use sea_orm::{ColumnTrait, ColumnType};

use super::dialect::{Dialect, quote};
use super::pagination::{KeyType, SortKey};

/// The columns of one table, by the names of the entity.
///
/// The SQL that its methods return calls a row of the table `listed`.
#[derive(Debug)]
pub struct TableColumns {
    dialect: Dialect,
    table: String,
    /// The type of each column.
    types: HashMap<String, String>,
    /// The columns that are NOT NULL.
    not_null: HashSet<String>,
}

impl TableColumns {
    pub(super) fn new(
        dialect: Dialect,
        schema: &str,
        table: &str,
        types: HashMap<String, String>,
        not_null: HashSet<String>,
    ) -> Self {
        Self { dialect, table: format!("{}.{}", quote(schema), quote(table)), types, not_null }
    }

    /// Returns the table's SQL name.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// Returns what to SELECT to read these columns as [`SqlValue`](super::SqlValue)s, under the entity's names. Unrequested
    /// and missing columns are null.
    #[must_use]
    pub fn select_list<C: ColumnTrait>(&self, columns: &[C], unrequested: &[&str]) -> String {
        let value = |column: &C| {
            if unrequested.contains(&column.as_str()) { "NULL".to_owned() } else { self.value(*column) }
        };
        columns.iter().map(|column| format!("{} AS {}", value(column), column.as_str())).collect::<Vec<_>>().join(", ")
    }

    /// Returns a column's value: PostgreSQL's timestamps and UUIDs as they are, everything else as text.
    fn value<C: ColumnTrait>(&self, column: C) -> String {
        let is_uuid = self.types.get(column.as_str()).is_some_and(|of_type| of_type == "uuid");
        let value = match self.dialect {
            Dialect::Postgres if is_instant(column) => self.timestamp(column),
            Dialect::Postgres if is_uuid => self.name(column),
            Dialect::Postgres | Dialect::Sqlite => None,
        };
        value.unwrap_or_else(|| self.as_text(column))
    }

    /// Returns a column's value as text; null if the column is missing.
    #[must_use]
    pub fn as_text<C: ColumnTrait>(&self, column: C) -> String {
        let name = if is_instant(column) { self.timestamp(column) } else { self.name(column) };
        name.map_or_else(|| "NULL".to_owned(), |name| format!("CAST({name} AS text)"))
    }

    /// Returns the column's SQL name; none if it is missing.
    #[must_use]
    pub fn name(&self, column: impl ColumnTrait) -> Option<String> {
        self.types.contains_key(column.as_str()).then(|| format!("listed.{}", quote(column.as_str())))
    }

    /// Casts text to a column's type, so that it can be compared with the column (PostgreSQL). A host may have its
    /// UUIDs as text.
    #[must_use]
    pub fn cast_to_column(&self, column: impl ColumnTrait, text: &str) -> String {
        match (self.dialect, self.types.get(column.as_str())) {
            (Dialect::Postgres, Some(of_type)) => format!("CAST({text} AS {of_type})"),
            _ => text.to_owned(),
        }
    }

    /// Returns a timestamp column to order a list by, on SQLite as text, whatever it contains; none if it is missing.
    #[must_use]
    pub fn sortable(&self, column: impl ColumnTrait) -> Option<String> {
        let instant = self.timestamp(column)?;
        Some(match self.dialect {
            Dialect::Postgres => instant,
            Dialect::Sqlite => format!("CAST({instant} AS text)"),
        })
    }

    /// Returns a text column without a cast, so that an index on it is used; none if it may be null or hold another
    /// type.
    #[must_use]
    pub fn not_null_text(&self, column: impl ColumnTrait) -> Option<String> {
        let of_type = self.types.get(column.as_str())?.to_ascii_uppercase();
        let is_text = match self.dialect {
            Dialect::Postgres => matches!(of_type.as_str(), "TEXT" | "CHARACTER VARYING"),
            // Numbers become text in such a column
            // (https://www.sqlite.org/datatype3.html#determination_of_column_affinity).
            Dialect::Sqlite => !of_type.contains("INT") && (of_type.contains("TEXT") || of_type.contains("CHAR")),
        };
        (is_text && self.not_null.contains(column.as_str())).then(|| self.name(column)).flatten()
    }

    /// Returns an integer column to read and to order a list by; null where it holds something else; none if it is
    /// missing.
    #[must_use]
    pub fn number(&self, column: impl ColumnTrait) -> Option<String> {
        let name = self.name(column)?;
        Some(match (self.dialect, self.types.get(column.as_str()).map(String::as_str)) {
            (Dialect::Postgres, Some("smallint" | "integer" | "bigint")) => name,
            (Dialect::Postgres, _) => {
                let text = format!("CAST({name} AS text)");
                format!("CASE WHEN {text} ~ '^-?[0-9]{{1,18}}$' THEN CAST({text} AS bigint) END")
            }
            (Dialect::Sqlite, _) => format!("CASE typeof({name}) WHEN 'integer' THEN {name} END"),
        })
    }

    /// Returns an id column as the sort key that breaks ties in a list.
    #[must_use]
    pub fn id_key(&self, column: impl ColumnTrait) -> SortKey {
        let kind = match self.types.get(column.as_str()).map(String::as_str) {
            Some("uuid") => KeyType::Uuid,
            _ => KeyType::Text,
        };
        SortKey::new(format!("listed.{}", quote(column.as_str())), kind)
    }

    /// Returns the condition that the first non-null one of these columns is before (`<`) or after (`>`) a time, as
    /// `than` says. It is null where that column holds no time; none if all columns are missing. SQLite compares times
    /// to the millisecond.
    #[must_use]
    pub fn compare_time(&self, columns: &[impl ColumnTrait], than: &str, time: &str) -> Option<String> {
        let time = match self.dialect {
            Dialect::Postgres => time.to_owned(),
            Dialect::Sqlite => format!("julianday({time})"),
        };
        Some(format!("{} {than} {time}", self.first_timestamp(columns)?))
    }

    /// Returns the time in the first non-null one of these columns, to compare and to sort by. It is null where that
    /// column holds no time; none if all columns are missing.
    ///
    /// SQLite has times as text in several formats, which sort differently, so they become Julian day numbers there. A
    /// number in the column, also as text, has no known unit and counts as no time.
    #[must_use]
    pub fn first_timestamp(&self, columns: &[impl ColumnTrait]) -> Option<String> {
        let instants: Vec<String> = columns.iter().filter_map(|&column| self.timestamp(column)).collect();
        let comparable = |name: &str| match self.dialect {
            Dialect::Postgres => name.to_owned(),
            Dialect::Sqlite => format!(
                "CASE WHEN {name} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN julianday({name}) END"
            ),
        };
        // The next column is used where one is null, but not where it holds something that is no time.
        let mut rest = instants.iter().rev();
        let last = comparable(rest.next()?);
        Some(
            rest.fold(last, |next, name| format!("CASE WHEN {name} IS NULL THEN {next} ELSE {} END", comparable(name))),
        )
    }

    /// Returns a timestamp column as the database compares it; none if it is missing, or of another type (PostgreSQL).
    #[must_use]
    pub fn timestamp(&self, column: impl ColumnTrait) -> Option<String> {
        let of_type = self.types.get(column.as_str())?;
        let name = format!("listed.{}", quote(column.as_str()));
        match (self.dialect, of_type.as_str()) {
            (Dialect::Sqlite, _) | (_, "timestamp with time zone") => Some(name),
            (_, "timestamp without time zone" | "date") => {
                Some(format!("(CAST({name} AS timestamp) AT TIME ZONE 'UTC')"))
            }
            _ => None,
        }
    }
}

fn is_instant(column: impl ColumnTrait) -> bool {
    *column.def().get_column_type() == ColumnType::TimestampWithTimeZone
}
