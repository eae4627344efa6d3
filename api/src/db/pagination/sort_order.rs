//! What a list is ordered by, and which of its rows stand before or behind a place.

use std::sync::Arc;

use super::Position;
use crate::db::{Cell, Dialect, Parameters};
use crate::error::Error;

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A timestamp; text on SQLite.
    Time,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A UUID; text on SQLite.
    Uuid,
}

/// An expression over a row `c`.
#[derive(Debug, Clone)]
pub struct Key {
    /// The SQL. A value and its text have to sort alike: cast a column in which a host may have values of several types.
    pub sql: String,
    /// What it gives.
    pub kind: Kind,
    /// Whether it may be null, which sorts as the smallest.
    pub nullable: bool,
}

impl Key {
    /// An expression that is never null.
    #[must_use]
    pub fn new(sql: impl Into<String>, kind: Kind) -> Self {
        Self { sql: sql.into(), kind, nullable: false }
    }

    /// An expression that may be null.
    #[must_use]
    pub fn nullable(sql: impl Into<String>, kind: Kind) -> Self {
        Self { nullable: true, ..Self::new(sql, kind) }
    }

    /// What is selected to have the value as a [`Cell`].
    pub(super) fn sent(&self, dialect: Dialect) -> String {
        match (dialect, self.kind) {
            (Dialect::Postgres, Kind::Time | Kind::Uuid) => self.sql.clone(),
            _ => format!("CAST({} AS text)", self.sql),
        }
    }

    /// The text of a value as such a value.
    pub(super) fn of_text(&self, dialect: Dialect, text: &str) -> String {
        let name = match (dialect, self.kind) {
            (Dialect::Postgres, Kind::Time) => "timestamptz",
            (_, Kind::Number) => "numeric",
            (Dialect::Postgres, Kind::Uuid) => "uuid",
            (Dialect::Postgres, Kind::Text) | (Dialect::Sqlite, _) => return text.to_owned(),
        };
        format!("CAST({text} AS {name})")
    }
}

/// The order of a list. Ties are broken by the id, in the same direction.
#[derive(Debug, Clone)]
pub struct Order {
    /// Names the list and the order in cursors.
    pub name: Arc<str>,
    /// What decides; none where only the id does.
    pub by: Option<Key>,
    /// The id.
    pub id: Key,
    /// Largest first.
    pub descending: bool,
}

/// Rows beside a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    BeforeOrAt,
    AtOrBehind,
    Behind,
}

/// A place whose values are bound.
pub(super) struct Place {
    value: Option<String>,
    id: String,
}

impl Order {
    /// Binds a place of this order.
    pub(super) fn place(
        &self,
        dialect: Dialect,
        position: &Position,
        parameters: &mut Parameters,
    ) -> Result<Place, Error> {
        if position.order != self.name {
            return Err(no_place());
        }
        let mut bind = |key: &Key, value: &Cell| key.of_text(dialect, &parameters.bind(value.to_string()));
        let value = match (&self.by, &position.value) {
            (Some(by), Some(value)) => Some(bind(by, value)),
            (_, None) => None,
            (None, Some(_)) => return Err(no_place()),
        };
        Ok(Place { value, id: bind(&self.id, &position.id) })
    }

    /// The rows on one side of a place; true or false, or null for a row that is not there.
    pub(super) fn beside(&self, place: &Place, side: Side) -> String {
        let (greater, or_equal) = match side {
            Side::Before => (self.descending, false),
            Side::BeforeOrAt => (self.descending, true),
            Side::AtOrBehind => (!self.descending, true),
            Side::Behind => (!self.descending, false),
        };
        let than = match (greater, or_equal) {
            (true, true) => ">=",
            (true, false) => ">",
            (false, true) => "<=",
            (false, false) => "<",
        };
        let (id, at) = (&self.id.sql, &place.id);
        let Some(by) = &self.by else { return format!("{id} {than} {at}") };
        let key = &by.sql;
        match &place.value {
            // Nulls are the smallest.
            None if greater => format!("({key} IS NOT NULL OR {id} {than} {at})"),
            None => format!("({key} IS NULL AND {id} {than} {at})"),
            Some(value) if by.nullable && !greater => {
                format!("({key} IS NULL OR ({key}, {id}) {than} ({value}, {at}))")
            }
            Some(value) => format!("({key}, {id}) {than} ({value}, {at})"),
        }
    }

    /// What stands behind ORDER BY, for the expressions or the columns named so; from the end if `backwards`.
    pub(super) fn sort(&self, dialect: Dialect, value: &str, id: &str, backwards: bool) -> String {
        let descending = self.descending != backwards;
        let direction = if descending { " DESC" } else { "" };
        // SQLite has nulls as the smallest anyway. On PostgreSQL an index serves the order only where both agree on the
        // nulls, and by itself it has them as the largest.
        let nulls = match (dialect, &self.by) {
            (Dialect::Postgres, Some(by)) if by.nullable && descending => " NULLS LAST",
            (Dialect::Postgres, Some(by)) if by.nullable => " NULLS FIRST",
            _ => "",
        };
        match &self.by {
            Some(_) => format!("{value}{direction}{nulls}, {id}{direction}"),
            None => format!("{id}{direction}"),
        }
    }

    /// A row's own place, from its value and its id.
    pub(super) fn position(&self, value: Option<Cell>, id: Cell) -> Position {
        Position { order: Arc::clone(&self.name), value, id }
    }
}

/// A cursor that was not taken from this list, or was changed.
pub(super) fn no_place() -> Error {
    Error::BadInput(
        "after or before is no cursor of this list in this order: take one from its edges or pageInfo.".to_owned(),
    )
}
