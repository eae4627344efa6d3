//! The text about restores.

use std::fmt::Write as _;

use super::deletion::refusal_text;
use super::{new_table, pluralize};
use crate::restore::RestoreOutcome;

/// The maximum number of conflicts in the table, so that it fits a terminal.
const MAX_SHOWN: usize = 50;

/// Returns the outcome of a restore or of its dry run.
pub(in crate::cli) fn restore_outcome(outcome: &RestoreOutcome, dry_run: bool) -> String {
    let mut text = refusal_text(&outcome.refusals, &[]);
    if !outcome.conflicts.is_empty() {
        let mut conflicts = new_table(&["Table", "Row", "Conflict"], &[]);
        for conflict in outcome.conflicts.iter().take(MAX_SHOWN) {
            conflicts.add_row([&conflict.table, &conflict.key, &conflict.message]);
        }
        let _ = writeln!(text, "{conflicts}");
        if let Some(more) = outcome.conflicts.len().checked_sub(MAX_SHOWN).filter(|more| *more > 0) {
            let _ = writeln!(text, "and {more} more; --json lists them.");
        }
    }
    if !outcome.refusals.is_empty() {
        text.push_str("Nothing was restored.");
        return text;
    }
    let verb = if dry_run { "Would restore" } else { "Restored" };
    let _ = write!(
        text,
        "✓ {verb} {}, with references set again in {}.",
        pluralize(outcome.rows_restored, "row", "rows"),
        pluralize(outcome.rows_relinked, "other row", "other rows"),
    );
    if outcome.rows_not_relinked > 0 {
        let _ = write!(
            text,
            "\n! {} not set again, because of a later change of the reference or a deletion of its row.",
            pluralize(outcome.rows_not_relinked, "reference was", "references were")
        );
    }
    if outcome.overdue_messages > 0 {
        let _ = write!(
            text,
            "\n! {} pending and overdue among them.",
            pluralize(outcome.overdue_messages, "message", "messages")
        );
    }
    text
}
