//! The forms that a statement can take, and the parts that it is made of.

use crate::db::Dialect;

/// The forms of one statement. All mean the same rows; which is fastest depends on the number of sessions, as
/// `benches/README.md` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Each session by itself: rows are joined to those that they refer to, and carry the session along.
    Each,
    /// Each session by itself among all of them: a row that goes with one of them is gone for every one.
    Among,
    /// All sessions together, by joins.
    Joins,
    /// All sessions together, by lists of keys (`column = ANY (…)`), which an index answers; for few sessions.
    Keys,
    /// All sessions together, the referring columns of all tables joined at once; for counting many sessions.
    Columns,
}

/// Up to this many sessions a list of keys is faster than a join.
const FEW: usize = 16;

impl Shape {
    /// Whether rows carry the session along that they are counted for.
    #[must_use]
    pub const fn by_session(self) -> bool {
        matches!(self, Self::Each | Self::Among)
    }

    /// The form for rows that are locked or deleted.
    #[must_use]
    pub fn of_changes(dialect: Dialect, sessions: usize) -> Self {
        match dialect {
            Dialect::Postgres if sessions <= FEW => Self::Keys,
            Dialect::Postgres | Dialect::Sqlite => Self::Joins,
        }
    }

    /// The form for rows that are counted together.
    #[must_use]
    pub fn of_counts(dialect: Dialect, sessions: usize) -> Self {
        match dialect {
            Dialect::Postgres if sessions > FEW => Self::Columns,
            Dialect::Postgres | Dialect::Sqlite => Self::of_changes(dialect, sessions),
        }
    }
}

/// Rows `c` of a table, and what selects them.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The table.
    pub child: String,
    /// The rows `d` that they are joined to, where they are.
    pub source: Option<String>,
    /// What selects them.
    pub condition: String,
}

impl Parts {
    /// `FROM … WHERE …`, with a condition more, if any.
    #[must_use]
    pub fn rows(&self, and: &str) -> String {
        let Self { child, source, condition } = self;
        let (joined, rest) = match (source, and) {
            (Some(source), "") => (format!("JOIN {source} d ON {condition}"), String::new()),
            (Some(source), and) => (format!("JOIN {source} d ON {condition}"), format!(" WHERE {and}")),
            (None, "") => (format!("WHERE {condition}"), String::new()),
            (None, and) => (format!("WHERE {condition}"), format!(" AND {and}")),
        };
        format!("FROM {child} c {joined}{rest}")
    }

    /// `DELETE FROM …`
    #[must_use]
    pub fn delete(&self) -> String {
        let using = self.source.as_ref().map_or_else(String::new, |source| format!(" USING {source} d"));
        format!("DELETE FROM {} c{using} WHERE {}", self.child, self.condition)
    }

    /// `UPDATE … SET …`
    #[must_use]
    pub fn update(&self, set: &str) -> String {
        let from = self.source.as_ref().map_or_else(String::new, |source| format!(" FROM {source} d"));
        format!("UPDATE {} c SET {set}{from} WHERE {}", self.child, self.condition)
    }
}
