//! The request for a restore and its outcome.

use serde::Serialize;
use uuid::Uuid;

use crate::deletion::Deletion;
use crate::refusal::Refusal;

/// A request to restore one deletion.
#[derive(Debug, Clone, Default)]
pub struct RestoreRequest {
    /// The deletion to restore.
    pub deletion_id: Uuid,
    /// Whether to restore pending messages whose scheduled time has passed. They would be sent immediately.
    pub allow_pending_messages: bool,
    /// Whether to execute the restore and roll it back.
    pub dry_run: bool,
    /// The principal of the caller, for the audit record.
    pub principal: String,
}

/// The changes of a restore, or the reasons why it changed nothing.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoreOutcome {
    /// The audit record of the deletion after the restore, or `None` if no deletion has the id.
    pub deletion: Option<Deletion>,
    /// The number of rows that were restored, or that a dry run would have restored.
    pub rows_restored: i64,
    /// The number of rows in which at least one reference was set again.
    pub rows_relinked: i64,
    /// The number of references that were left unchanged, because they have been changed since the deletion or because
    /// their row no longer exists.
    pub rows_not_relinked: i64,
    /// The number of restored messages that are pending and whose scheduled time has passed.
    pub overdue_messages: i64,
    /// The conflicts, the first 1,000 of each kind. If there are any, nothing was written.
    pub conflicts: Vec<Conflict>,
    /// The reasons why nothing was written.
    pub refusals: Vec<Refusal>,
}

/// A conflict: a row or a whole table that cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The table's display name.
    pub table: String,
    /// The row's key as text. It is empty for a conflict about the whole table.
    pub key: String,
    /// The problem and the next step.
    pub message: String,
    /// The later deletion that must be restored first, if there is one.
    pub deletion_id: Option<Uuid>,
}
