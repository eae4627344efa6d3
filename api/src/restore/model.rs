//! The request for a restore, and its outcome.

use serde::Serialize;
use uuid::Uuid;

use crate::deletion::Deletion;
use crate::refusal::Refusal;

/// A request to restore one deletion.
#[derive(Debug, Clone, Default)]
pub struct RestoreRequest {
    /// The deletion to restore.
    pub deletion_id: Uuid,
    /// Restores pending messages whose scheduled time has passed, although they would be sent at once.
    pub allow_pending_messages: bool,
    /// Performs the restore and rolls it back.
    pub dry_run: bool,
    /// The caller, for the audit record.
    pub principal: String,
}

/// What a restore changed, or why it changed nothing.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreOutcome {
    /// The audit record of the deletion after the restore; none where no deletion has the id.
    pub deletion: Option<Deletion>,
    /// Rows that were restored, or would have been in a dry run.
    pub rows_restored: i64,
    /// Rows in which at least one reference was set again.
    pub rows_relinked: i64,
    /// References left as they are: they have been changed since the deletion, or their row no longer exists.
    pub rows_not_relinked: i64,
    /// Restored messages that are pending and whose scheduled time has passed.
    pub overdue_messages: i64,
    /// The conflicts, row by row, the first 1,000 of each kind. Nothing was written if there are any.
    pub conflicts: Vec<Conflict>,
    /// Why nothing was written.
    pub refusals: Vec<Refusal>,
}

/// One obstacle to a restore: a row, or a whole table, that cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The table's display name.
    pub table: String,
    /// The row's key as text; empty for a conflict about the whole table.
    pub key: String,
    /// The obstacle and what to do about it.
    pub message: String,
    /// The later deletion that must be restored first.
    pub deletion_id: Option<Uuid>,
}
