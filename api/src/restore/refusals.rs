//! The refusals of a restore, and the outcomes with refusals.

use super::model::{Conflict, RestoreOutcome};
use crate::deletion::{Deletion, DeletionStatus};
use crate::refusal::{Refusal, RefusalCode};
use crate::wording::counted;

/// Returns the outcome of a restore that a refusal prevented.
pub(super) fn refused(deletion: Option<Deletion>, refusal: Refusal) -> RestoreOutcome {
    RestoreOutcome { deletion, refusals: vec![refusal], ..RestoreOutcome::default() }
}

/// Returns the refusal of a deletion whose status prevents a restore, or `None` if it can be restored.
pub(super) fn not_restorable(deletion: &Deletion) -> Option<Refusal> {
    let (code, message) = match deletion.status {
        DeletionStatus::Restorable => return None,
        DeletionStatus::Restored => {
            (RefusalCode::AlreadyRestored, "The deletion has been restored already.".to_owned())
        }
        DeletionStatus::Expired => (
            RefusalCode::ArchiveGone,
            "The archive of the deletion has expired. It can no longer be restored.".to_owned(),
        ),
        DeletionStatus::Erased => {
            (RefusalCode::ArchiveGone, "The archive of the deletion was erased. It cannot be restored.".to_owned())
        }
        DeletionStatus::NotArchived => {
            (RefusalCode::ArchiveGone, "The deletion archived nothing. It cannot be restored.".to_owned())
        }
    };
    Some(Refusal::for_field("input.id", code, message))
}

/// Returns the refusal to restore pending messages that would be sent immediately.
pub(super) fn overdue_messages(messages: i64) -> Refusal {
    let message = format!(
        "{} overdue, and would be sent at once. To allow that, set allowPendingMessages.",
        counted(messages, "restored message would be", "restored messages would be")
    );
    Refusal::for_field("input.allowPendingMessages", RefusalCode::PendingMessages, message)
}

/// Returns the outcome of a restore that conflicts prevented.
pub(super) fn conflict_outcome(conflicts: Vec<Conflict>) -> RestoreOutcome {
    let counted = counted(i64::try_from(conflicts.len()).unwrap_or(i64::MAX), "conflict prevents", "conflicts prevent");
    let message =
        format!("{counted} the restore: nothing was restored. Repair what conflicts lists, then restore again.");
    let refusals = vec![Refusal::without_field(RefusalCode::RestoreConflict, message)];
    RestoreOutcome { conflicts, refusals, ..RestoreOutcome::default() }
}
