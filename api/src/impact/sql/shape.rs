//! The shapes that a statement over a plan can take, and the parts that it is put together from.

use crate::db::Dialect;

/// The shape of a statement. All shapes select the same rows; which is fastest depends on the number of sessions
/// (`benches/README.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryShape {
    /// Each session by itself: rows are joined to the rows that they refer to, and carry the session's number.
    PerSession,
    /// Each session by itself, but a row that is deleted with one of the sessions counts as deleted for all of them.
    PerSessionInSet,
    /// All sessions together, by joins.
    Joins,
    /// All sessions together, by lists of keys (`column = ANY (…)`), which an index answers; for few sessions.
    KeyLists,
    /// All sessions together, with the referring columns of all tables in one union; for counting many sessions.
    UnionColumns,
}

/// The largest number of sessions for which a list of keys is faster than a join.
const MAX_LISTED_SESSIONS: usize = 16;

impl QueryShape {
    /// Whether rows carry the number of the session that they are counted for.
    #[must_use]
    pub const fn is_per_session(self) -> bool {
        matches!(self, Self::PerSession | Self::PerSessionInSet)
    }

    /// Returns the shape for locking or deleting rows.
    #[must_use]
    pub fn for_changes(dialect: Dialect, sessions: usize) -> Self {
        match dialect {
            Dialect::Postgres if sessions <= MAX_LISTED_SESSIONS => Self::KeyLists,
            Dialect::Postgres | Dialect::Sqlite => Self::Joins,
        }
    }

    /// Returns the shape for counting the rows of all sessions together.
    #[must_use]
    pub fn for_counts(dialect: Dialect, sessions: usize) -> Self {
        match dialect {
            Dialect::Postgres if sessions > MAX_LISTED_SESSIONS => Self::UnionColumns,
            Dialect::Postgres | Dialect::Sqlite => Self::for_changes(dialect, sessions),
        }
    }
}

/// Rows `child` of a table, and what selects them.
#[derive(Debug, Clone)]
pub struct RowSource {
    /// The table, as SQL writes it.
    pub child: String,
    /// The relation `parent` that the rows are joined to; none where the condition alone selects them.
    pub parent: Option<String>,
    /// The condition, over `child` and `parent`.
    pub condition: String,
}

impl RowSource {
    /// Returns `FROM … WHERE …`, with another condition unless it is empty.
    #[must_use]
    pub fn rows(&self, and: &str) -> String {
        let Self { child, parent, condition } = self;
        let (joined, rest) = match (parent, and) {
            (Some(parent), "") => (format!("JOIN {parent} parent ON {condition}"), String::new()),
            (Some(parent), and) => (format!("JOIN {parent} parent ON {condition}"), format!(" WHERE {and}")),
            (None, "") => (format!("WHERE {condition}"), String::new()),
            (None, and) => (format!("WHERE {condition}"), format!(" AND {and}")),
        };
        format!("FROM {child} child {joined}{rest}")
    }

    /// Returns `DELETE FROM …`.
    #[must_use]
    pub fn delete(&self) -> String {
        let using = self.parent.as_ref().map_or_else(String::new, |parent| format!(" USING {parent} parent"));
        format!("DELETE FROM {} child{using} WHERE {}", self.child, self.condition)
    }

    /// Returns `UPDATE … SET …`.
    #[must_use]
    pub fn update(&self, set: &str) -> String {
        let from = self.parent.as_ref().map_or_else(String::new, |parent| format!(" FROM {parent} parent"));
        format!("UPDATE {} child SET {set}{from} WHERE {}", self.child, self.condition)
    }
}
