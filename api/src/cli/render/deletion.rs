//! What deletions did.

use std::fmt::Write as _;

use super::impact::tables;
use super::{count, length, moment, table};
use crate::deletion::{Deletion, DeletionOutcome};
use crate::gateway::GatewaySessionState;
use crate::impact::ImpactChange;
use crate::refusal::Refusal;

/// What came of a deletion.
pub(in crate::cli) fn outcome(outcome: &DeletionOutcome) -> String {
    let mut text = refused(&outcome.refusals, &outcome.changes);
    match (&outcome.deletion, &outcome.impact) {
        (Some(deletion), _) => {
            let _ = write!(
                text,
                "✓ Deleted {}: {} deleted, {} unlinked. Recorded as {} by {}.",
                count(length(deletion.sessions.len()), "session", "sessions"),
                count(deletion.rows_deleted, "row", "rows"),
                deletion.rows_unlinked,
                deletion.id,
                deletion.deleted_by
            );
            let unknown = deletion.sessions.iter().filter(|session| session.gateway.is_some_and(says_nothing)).count();
            if unknown > 0 {
                let sessions = count(length(unknown), "session", "sessions");
                let _ = write!(text, "\n! The gateway could not say of {sessions} whether it was connected.");
            }
            if let Some(until) = deletion.restorable_until {
                let _ =
                    write!(text, "\n`session-admin restore {}` takes it back, until {}.", deletion.id, moment(until));
            }
        }
        (None, Some(impact)) if outcome.refusals.is_empty() => {
            let _ = write!(
                text,
                "✓ Dry run: {} deleted, {} unlinked, and all taken back.",
                count(impact.rows_deleted, "row", "rows"),
                impact.rows_unlinked
            );
        }
        _ => text.push_str("Nothing was deleted."),
    }
    text
}

const fn says_nothing(state: GatewaySessionState) -> bool {
    matches!(state, GatewaySessionState::Unreachable | GatewaySessionState::Unknown)
}

/// Why nothing is done, and where the impact is another one than was looked at; nothing where nothing is in the way.
pub(super) fn refused(refusals: &[Refusal], changes: &[ImpactChange]) -> String {
    let mut text = String::new();
    for refusal in refusals {
        let _ = writeln!(text, "✗ Refused: {}", refusal.message);
    }
    if !changes.is_empty() {
        let mut table =
            table(&["Table", "Deleted before", "Deleted now", "Unlinked before", "Unlinked now"], &[1, 2, 3, 4]);
        for change in changes {
            table.add_row([
                change.table.clone(),
                change.rows_deleted_before.to_string(),
                change.rows_deleted_now.to_string(),
                change.rows_unlinked_before.to_string(),
                change.rows_unlinked_now.to_string(),
            ]);
        }
        let _ = writeln!(text, "{table}");
    }
    text
}

/// A part of the audit trail.
pub(in crate::cli) fn deletions(deletions: &[Deletion], has_more: bool) -> String {
    if deletions.is_empty() {
        return "No deletion meets this.".to_owned();
    }
    let mut table = table(&["Deleted at", "Deletion", "Sessions", "Rows", "Unlinked", "By", "Reason"], &[3, 4]);
    for deletion in deletions {
        table.add_row([
            moment(deletion.deleted_at),
            deletion.id.to_string(),
            sessions(deletion),
            deletion.rows_deleted.to_string(),
            deletion.rows_unlinked.to_string(),
            deletion.deleted_by.clone(),
            deletion.reason.clone().unwrap_or_default(),
        ]);
    }
    let older = if has_more { "\nThere are older ones: --limit shows more, --deleted-before those." } else { "" };
    format!("{table}{older}")
}

/// The sessions of a deletion in a few words.
fn sessions(deletion: &Deletion) -> String {
    match deletion.sessions.as_slice() {
        [only] => only.name.clone().unwrap_or_else(|| only.id.to_string()),
        several => count(length(several.len()), "session", "sessions"),
    }
}

/// One deletion, whole.
pub(in crate::cli) fn deletion(deletion: &Deletion) -> String {
    let mut text = format!("Deleted at {} by {}", moment(deletion.deleted_at), deletion.deleted_by);
    if let Some(reason) = &deletion.reason {
        let _ = write!(text, ": {reason}");
    }
    text.push('\n');
    if !deletion.allowed.is_empty() {
        let _ = writeln!(text, "Allowed: {}", deletion.allowed.join(", "));
    }
    for session in &deletion.sessions {
        let name = session.name.as_deref().unwrap_or_default();
        let gateway = session.gateway.map(|state| format!(" (gateway: {})", state.word())).unwrap_or_default();
        let _ = writeln!(text, "  {} {name}{gateway}", session.id);
    }
    let _ = write!(text, "\n{}", tables(&deletion.tables, deletion.rows_deleted, deletion.rows_unlinked));
    text
}
