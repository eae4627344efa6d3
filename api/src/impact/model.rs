//! What an impact says, as it is shown, stored and compared.

use serde::{Deserialize, Serialize};

use crate::catalog::Action;

/// What a deletion does, table by table. Counts are rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// The number of distinct sessions that were requested.
    pub session_count: i64,
    /// Distinct rows that will be deleted over all tables, the sessions included.
    pub rows_deleted: i64,
    /// Distinct rows that stay, with at least one reference set to null (or to its default).
    pub rows_unlinked: i64,
    /// One entry per table with anything deleted, unlinked or blocking; the sessions' own table first, then by name.
    pub tables: Vec<TableImpact>,
    /// The foreign keys that refuse the deletion.
    pub blockers: Vec<Blocker>,
    /// Whether there are no blockers.
    pub deletable: bool,
    /// Scheduled messages still to be sent that would be deleted with the sessions.
    pub pending_messages: i64,
    /// Sessions to be deleted that are connected now.
    pub connected_sessions: i64,
    /// Opaque fingerprint of counts, sessions and foreign keys; see [`token`](super::token).
    pub token: String,
}

/// What happens to one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TableImpact {
    /// The table's display name: with its schema where that is not the business schema.
    pub table: String,
    /// Distinct rows that are deleted.
    pub rows_deleted: i64,
    /// Distinct rows that stay with a reference cleared.
    pub rows_unlinked: i64,
    /// Whether a restore can bring all of this back: the unlinked rows have a key to find them by, and this role may
    /// insert the deleted rows again.
    #[serde(default = "restorable_by_default")]
    pub restorable: bool,
    /// The foreign keys through which rows of the table are reached.
    pub references: Vec<ReferenceImpact>,
}

/// Returns the value of [`TableImpact::restorable`] in audit records that are older than the field.
const fn restorable_by_default() -> bool {
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
    /// The display name of the table referred to.
    pub referenced_table: String,
    /// The key's ON DELETE rule.
    pub on_delete: Action,
    /// The rows reached: those deleted for CASCADE, those that stay for every other rule.
    pub rows: i64,
}

/// Why a foreign key or a table refuses a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BlockerKind {
    /// The rule is NO ACTION or RESTRICT, and rows that stay still refer to deleted ones.
    Restricted,
    /// The rule is SET NULL on a column that takes no null, and rows that stay refer to deleted ones.
    SetNullOnNotNull,
    /// The rule is SET DEFAULT, and the default is not an existing row that stays.
    SetDefaultUnusable,
    /// Row-level security may hide rows from this role, so the impact cannot be known.
    RowSecurity,
    /// The database refused for another reason.
    Other,
}

/// One foreign key, or table, that refuses the deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocker {
    /// Why it refuses.
    pub kind: BlockerKind,
    /// The display name of the referring table.
    pub table: String,
    /// The constraint's name; none where a table refuses.
    pub constraint: Option<String>,
    /// The referring columns.
    pub columns: Vec<String>,
    /// The rows that block.
    pub rows: i64,
    /// The cause and what to do about it.
    pub message: String,
}

/// How the impact on one table differs from the expected one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImpactChange {
    /// The table's display name.
    pub table: String,
    /// Rows to be deleted according to the expected impact.
    pub rows_deleted_before: i64,
    /// Rows to be deleted now.
    pub rows_deleted_now: i64,
    /// Rows to be unlinked according to the expected impact.
    pub rows_unlinked_before: i64,
    /// Rows to be unlinked now.
    pub rows_unlinked_now: i64,
}
