//! Why a restore is refused.

use super::{Conflict, RestoreOutcome};
use crate::deletion::refusals::counted;
use crate::deletion::{Deletion, DeletionStatus};
use crate::refusal::{Refusal, RefusalCode};

pub(super) fn refused(deletion: Option<Deletion>, refusal: Refusal) -> RestoreOutcome {
    RestoreOutcome { deletion, refusals: vec![refusal], ..RestoreOutcome::default() }
}

/// Why nothing is left to restore.
pub(super) fn unfit(deletion: &Deletion) -> Option<Refusal> {
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
    Some(Refusal::about("input.id", code, message))
}

pub(super) fn overdue_refused(messages: i64) -> Refusal {
    let message = format!(
        "{} pending and overdue, and would be sent at once. Set allowPendingMessages if they are to be.",
        counted(messages, "message that would come back is", "messages that would come back are")
    );
    Refusal::about("input.allowPendingMessages", RefusalCode::PendingMessages, message)
}

pub(super) fn conflicting(conflicts: Vec<Conflict>) -> RestoreOutcome {
    let counted = counted(i64::try_from(conflicts.len()).unwrap_or(i64::MAX), "conflict stands", "conflicts stand");
    let message = format!("{counted} in the way: nothing was restored. Mend what conflicts lists, then restore again.");
    let refusals = vec![Refusal::plain(RefusalCode::RestoreConflict, message)];
    RestoreOutcome { conflicts, refusals, ..RestoreOutcome::default() }
}
