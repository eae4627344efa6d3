//! The order of a list, and the conditions for rows before and after a cursor.

use std::sync::Arc;

use super::cursor::Cursor;
use crate::db::{BindParams, Dialect, SqlValue};
use crate::error::Error;

/// The type of a sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyType {
    /// A timestamp; text on SQLite.
    Time,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A UUID; text on SQLite.
    Uuid,
}

/// An expression over a row that a list is sorted by.
#[derive(Debug, Clone)]
pub struct SortKey {
    /// The SQL. A value and its text must sort alike: cast a column in which a host may have values of several types.
    pub sql: String,
    /// The type of the values.
    pub kind: KeyType,
    /// Whether a value may be null. Null sorts as the smallest value.
    pub nullable: bool,
}

impl SortKey {
    /// Returns a key that is never null.
    #[must_use]
    pub fn new(sql: impl Into<String>, kind: KeyType) -> Self {
        Self { sql: sql.into(), kind, nullable: false }
    }

    /// Returns a key that may be null.
    #[must_use]
    pub fn nullable(sql: impl Into<String>, kind: KeyType) -> Self {
        Self { nullable: true, ..Self::new(sql, kind) }
    }

    /// Returns what to SELECT to read the value as a [`SqlValue`].
    pub(super) fn selected(&self, dialect: Dialect) -> String {
        match (dialect, self.kind) {
            (Dialect::Postgres, KeyType::Time | KeyType::Uuid) => self.sql.clone(),
            _ => format!("CAST({} AS text)", self.sql),
        }
    }

    /// Casts a text to the type of the key.
    pub(super) fn cast(&self, dialect: Dialect, text: &str) -> String {
        let type_name = match (dialect, self.kind) {
            (Dialect::Postgres, KeyType::Time) => "timestamptz",
            (_, KeyType::Number) => "numeric",
            (Dialect::Postgres, KeyType::Uuid) => "uuid",
            (Dialect::Postgres, KeyType::Text) | (Dialect::Sqlite, _) => return text.to_owned(),
        };
        format!("CAST({text} AS {type_name})")
    }
}

/// The order of a list. The id breaks ties, in the same direction.
#[derive(Debug, Clone)]
pub struct SortOrder {
    /// The name of the list and its order in cursors.
    pub name: Arc<str>,
    /// The sort key; none to sort by id only.
    pub by: Option<SortKey>,
    /// The id.
    pub id: SortKey,
    /// Sorts the largest value first.
    pub descending: bool,
}

/// The rows on one side of a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    AtOrBefore,
    AtOrAfter,
    After,
}

/// A cursor as the parameters of a statement.
pub(super) struct CursorParams {
    value: Option<String>,
    id: String,
}

impl SortOrder {
    /// Binds a cursor of this order.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a cursor of another order.
    pub(super) fn bind_cursor(
        &self,
        dialect: Dialect,
        cursor: &Cursor,
        parameters: &mut BindParams,
    ) -> Result<CursorParams, Error> {
        if cursor.order != self.name {
            return Err(invalid_cursor());
        }
        let mut bind = |key: &SortKey, value: &SqlValue| key.cast(dialect, &parameters.bind(value.to_string()));
        let value = match (&self.by, &cursor.value) {
            (Some(by), Some(value)) => Some(bind(by, value)),
            (_, None) => None,
            (None, Some(_)) => return Err(invalid_cursor()),
        };
        Ok(CursorParams { value, id: bind(&self.id, &cursor.id) })
    }

    /// Returns the condition that a row is on one side of a cursor; null for the null row of an outer join.
    pub(super) fn keyset_predicate(&self, cursor: &CursorParams, side: Side) -> String {
        let (is_greater, or_equal) = match side {
            Side::Before => (self.descending, false),
            Side::AtOrBefore => (self.descending, true),
            Side::AtOrAfter => (!self.descending, true),
            Side::After => (!self.descending, false),
        };
        let operator = match (is_greater, or_equal) {
            (true, true) => ">=",
            (true, false) => ">",
            (false, true) => "<=",
            (false, false) => "<",
        };
        let (id, cursor_id) = (&self.id.sql, &cursor.id);
        let Some(by) = &self.by else { return format!("{id} {operator} {cursor_id}") };
        let key = &by.sql;
        match &cursor.value {
            // Null is the smallest value.
            None if is_greater => format!("({key} IS NOT NULL OR {id} {operator} {cursor_id})"),
            None => format!("({key} IS NULL AND {id} {operator} {cursor_id})"),
            Some(value) if by.nullable && !is_greater => {
                format!("({key} IS NULL OR ({key}, {id}) {operator} ({value}, {cursor_id}))")
            }
            Some(value) => format!("({key}, {id}) {operator} ({value}, {cursor_id})"),
        }
    }

    /// Returns the ORDER BY list over expressions or column names for the sort key and the id, reversed if `backwards`.
    pub(super) fn order_by(&self, dialect: Dialect, value: &str, id: &str, backwards: bool) -> String {
        let descending = self.descending != backwards;
        let direction = if descending { " DESC" } else { "" };
        // Null is the smallest value on SQLite, and the largest on PostgreSQL unless the query says otherwise. An index
        // serves the order only if both place nulls alike.
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

    /// Returns the cursor of a row with this sort key and id.
    pub(super) fn cursor(&self, value: Option<SqlValue>, id: SqlValue) -> Cursor {
        Cursor { order: Arc::clone(&self.name), value, id }
    }
}

/// Returns the error for a cursor of another list or order, or one that was changed.
pub(super) fn invalid_cursor() -> Error {
    Error::BadInput(
        "after or before is not a cursor of this list in this order: use one from its edges or pageInfo.".to_owned(),
    )
}
