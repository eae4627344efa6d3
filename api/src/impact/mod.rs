//! Impact: what deleting given sessions will do, read from the foreign keys; nothing is changed.

mod analysis;
mod deletable_set;
pub mod effect;
pub mod plan;
pub mod sql;
pub mod token;
mod topology;

use serde::{Deserialize, Serialize};

use crate::catalog::Action;

pub use analysis::{Reading, distinct, ids_parameter, of_each_session, of_sessions};
pub use deletable_set::{Together, deletable_together, fewest_together};

/// What a deletion does, table by table. Counts are rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// The sessions asked for.
    pub session_count: i64,
    /// Distinct rows that will be deleted over all tables, the sessions included.
    pub rows_deleted: i64,
    /// Distinct rows that stay, with at least one reference set to null (or to its default).
    pub rows_unlinked: i64,
    /// One per table with anything deleted, unlinked or blocking; the sessions' own table first, then by name.
    pub tables: Vec<TableImpact>,
    /// The foreign keys that refuse the deletion.
    pub blockers: Vec<Blocker>,
    /// Whether nothing refuses.
    pub deletable: bool,
    /// Scheduled messages still to be sent that would go with the sessions.
    pub pending_messages: i64,
    /// Sessions among those that go that are connected now.
    pub connected_sessions: i64,
    /// Opaque: counts, sessions and foreign keys; see [`token`].
    pub token: String,
}

/// What happens to one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableImpact {
    /// The table's name as people see it.
    pub table: String,
    /// Distinct rows that go.
    pub rows_deleted: i64,
    /// Distinct rows that stay with a reference cleared.
    pub rows_unlinked: i64,
    /// A restore can bring all of this back: rows of it that are unlinked have a key, by which they are found again, and
    /// rows of it that go may be put back by this role.
    #[serde(default = "restorable")]
    pub restorable: bool,
    /// The foreign keys through which rows of it are reached.
    pub references: Vec<ReferenceImpact>,
}

/// Of what was recorded before it was asked.
const fn restorable() -> bool {
    true
}

/// One foreign key through which rows of a table are reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferenceImpact {
    /// The constraint's name.
    pub constraint: String,
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub referenced_table: String,
    /// The rule.
    pub on_delete: Action,
    /// The rows reached: those that go for CASCADE, those that stay for the others.
    pub rows: i64,
}

/// Why a foreign key refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BlockerKind {
    /// NO ACTION or RESTRICT, and rows that stay still point here.
    Restricted,
    /// ON DELETE SET NULL on a column that takes no null, and rows that stay point here.
    SetNullOnNotNull,
    /// The default is not an existing row that stays.
    SetDefaultUnusable,
    /// Rows may be hidden from this role, so the impact cannot be known.
    RowSecurity,
    /// What the database said.
    Other,
}

/// One foreign key, or table, that refuses the deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    /// Why.
    pub kind: BlockerKind,
    /// The referring table.
    pub table: String,
    /// The foreign key, where it is one.
    pub constraint: Option<String>,
    /// Its columns.
    pub columns: Vec<String>,
    /// The rows that stand in the way.
    pub rows: i64,
    /// What it means and what to do.
    pub message: String,
}

/// Where an impact differs from the one that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImpactChange {
    /// The table.
    pub table: String,
    /// Rows to be deleted as looked at.
    pub rows_deleted_before: i64,
    /// Rows to be deleted now.
    pub rows_deleted_now: i64,
    /// Rows to be unlinked as looked at.
    pub rows_unlinked_before: i64,
    /// Rows to be unlinked now.
    pub rows_unlinked_now: i64,
}
