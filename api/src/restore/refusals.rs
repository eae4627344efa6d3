//! The refusals of a restore.

use super::model::{Conflict, RestoreOutcome};
use crate::deletion::{Deletion, DeletionStatus};
use crate::refusal::{Refusal, RefusalCode};
use crate::wording::counted;

/// Returns the outcome of a restore that one refusal stopped.
pub(super) fn refused(deletion: Option<Deletion>, refusal: Refusal) -> RestoreOutcome {
    RestoreOutcome { deletion, refusals: vec![refusal], ..RestoreOutcome::default() }
}

/// Returns why a deletion cannot be restored by its status; none if it can.
pub(super) fn not_restorable(deletion: &Deletion) -> Option<Refusal> {
    let (code, message) = match deletion.status {
        DeletionStatus::Restorable => return None,
        DeletionStatus::Restored => {
            (RefusalCode::AlreadyRestored, "The deletion has been restored already.".to_owned())
        }
        DeletionStatus::Expired => (
            RefusalCode::ArchiveGone,
            "What the deletion took was kept until its time was over. It can no longer be restored.".to_owned(),
        ),
        DeletionStatus::Erased => {
            (RefusalCode::ArchiveGone, "What the deletion took has been erased. It cannot be restored.".to_owned())
        }
        DeletionStatus::NotArchived => {
            (RefusalCode::ArchiveGone, "Nothing of what the deletion took was kept. It cannot be restored.".to_owned())
        }
    };
    Some(Refusal::for_field("input.id", code, message))
}

/// Returns the refusal to restore pending messages that would be sent at once.
pub(super) fn overdue_messages(messages: i64) -> Refusal {
    let message = format!(
        "{} pending and overdue, and would be sent at once. Set allowPendingMessages if they are to be.",
        counted(messages, "message that would come back is", "messages that would come back are")
    );
    Refusal::for_field("input.allowPendingMessages", RefusalCode::PendingMessages, message)
}

/// Returns the outcome of a restore that conflicts stopped.
pub(super) fn conflicting(conflicts: Vec<Conflict>) -> RestoreOutcome {
    let counted = counted(i64::try_from(conflicts.len()).unwrap_or(i64::MAX), "conflict stands", "conflicts stand");
    let message = format!("{counted} in the way: nothing was restored. Mend what conflicts lists, then restore again.");
    let refusals = vec![Refusal::without_field(RefusalCode::RestoreConflict, message)];
    RestoreOutcome { conflicts, refusals, ..RestoreOutcome::default() }
}
