//! Restore: every row of a deletion and every reference that it cleared put back, or nothing, and what is in the way.

mod archived_table;
mod attempt;
pub(crate) mod checks;
mod conflict;
mod execute;
mod postgres;
mod references;
mod refusals;
mod sqlite;
mod target_rows;

use serde::Serialize;
use uuid::Uuid;

use crate::deletion::Deletion;
use crate::refusal::Refusal;

pub use execute::restore;
pub(crate) use execute::restore_batch;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct RestoreRequest {
    /// The deletion to take back.
    pub deletion_id: Uuid,
    /// Messages that were pending and whose time has passed may come back: they would be sent at once.
    pub allow_pending_messages: bool,
    /// The restore itself, rolled back.
    pub dry_run: bool,
    /// Who asks, for the audit record.
    pub principal: String,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreOutcome {
    /// The audit record of the deletion, as it is then; none where there is no such deletion.
    pub deletion: Option<Deletion>,
    /// Rows that were, or would have been, put back.
    pub rows_restored: i64,
    /// Rows with at least one reference set again.
    pub rows_relinked: i64,
    /// References that somebody has set since, or whose row is gone: left as they are.
    pub rows_not_relinked: i64,
    /// Messages among the rows that were pending and whose time has passed.
    pub overdue_messages: i64,
    /// What stands in the way, row by row, the first 1,000 of each kind; then nothing was written.
    pub conflicts: Vec<Conflict>,
    /// Why nothing was done.
    pub refusals: Vec<Refusal>,
}

/// One thing that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The table of the row that cannot be put back, as people see it.
    pub table: String,
    /// The row's key; empty where it is about the whole table.
    pub key: String,
    /// What is in the way and what to do.
    pub message: String,
    /// The deletion to restore first.
    pub deletion_id: Option<Uuid>,
}
