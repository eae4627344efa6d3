//! What restores did.

use std::fmt::Write as _;

use super::deletion::refused;
use super::{count, table};
use crate::restore::RestoreOutcome;

/// The rows that a terminal has room for.
const SHOWN: usize = 50;

/// What came of a restore, or would come of it.
pub(in crate::cli) fn restore(outcome: &RestoreOutcome, dry_run: bool) -> String {
    let mut text = refused(&outcome.refusals, &[]);
    if !outcome.conflicts.is_empty() {
        let mut conflicts = table(&["Table", "Row", "In the way"], &[]);
        for conflict in outcome.conflicts.iter().take(SHOWN) {
            conflicts.add_row([&conflict.table, &conflict.key, &conflict.message]);
        }
        let _ = writeln!(text, "{conflicts}");
        if let Some(more) = outcome.conflicts.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            let _ = writeln!(text, "and {more} more; --json lists them.");
        }
    }
    if !outcome.refusals.is_empty() {
        text.push_str("Nothing was restored.");
        return text;
    }
    let done = if dry_run { "Would restore" } else { "Restored" };
    let _ = write!(
        text,
        "✓ {done} {}, with references set again in {}.",
        count(outcome.rows_restored, "row", "rows"),
        count(outcome.rows_relinked, "other row", "other rows"),
    );
    if outcome.rows_not_relinked > 0 {
        let _ = write!(
            text,
            "\n! {} left as they are: somebody has set them, or deleted their row, since.",
            count(outcome.rows_not_relinked, "reference is", "references are")
        );
    }
    if outcome.overdue_messages > 0 {
        let _ = write!(
            text,
            "\n! {} pending and overdue among them.",
            count(outcome.overdue_messages, "message", "messages")
        );
    }
    text
}
