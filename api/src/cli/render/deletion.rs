//! The texts about deletions, erasures and refusals.

use std::fmt::Write as _;

use super::impact::table_impacts;
use super::{format_timestamp, new_table, pluralize, to_i64, use_flag_names};
use crate::deletion::{Deletion, DeletionOutcome, DeletionStatus, ErasureOutcome};
use crate::gateway::GatewaySessionState;
use crate::impact::ImpactChange;
use crate::refusal::Refusal;

/// Returns the outcome of a request for a deletion.
pub(in crate::cli) fn deletion_outcome(outcome: &DeletionOutcome) -> String {
    let mut text = refusal_text(&outcome.refusals, &outcome.changes);
    match (&outcome.deletion, &outcome.impact) {
        (Some(deletion), _) if outcome.repeated => text.push_str(&replay_note(deletion)),
        (Some(deletion), _) => {
            let _ = write!(
                text,
                "✓ Deleted {}: {} deleted, {} unlinked. Recorded as {} by {}.",
                pluralize(to_i64(deletion.sessions.len()), "session", "sessions"),
                pluralize(deletion.rows_deleted, "row", "rows"),
                deletion.rows_unlinked,
                deletion.id,
                deletion.deleted_by
            );
            let unknown_count =
                deletion.sessions.iter().filter(|session| session.gateway.is_some_and(is_unknown_state)).count();
            if unknown_count > 0 {
                let sessions = pluralize(to_i64(unknown_count), "session was", "sessions were");
                let _ = write!(text, "\n! The gateway could not tell whether {sessions} connected.");
            }
            if let Some(until) = deletion.restorable_until {
                let _ = write!(
                    text,
                    "\n`session-admin restore {}` restores it, until {}.",
                    deletion.id,
                    format_timestamp(until)
                );
            }
        }
        (None, Some(impact)) if outcome.refusals.is_empty() => {
            let _ = write!(
                text,
                "✓ Dry run: {} deleted, {} unlinked, and everything rolled back.",
                pluralize(impact.rows_deleted, "row", "rows"),
                impact.rows_unlinked
            );
        }
        _ => text.push_str("Nothing was deleted."),
    }
    text
}

/// Returns the text about an earlier deletion with the same idempotency key.
fn replay_note(deletion: &Deletion) -> String {
    let mut text = format!(
        "Nothing was deleted now: the deletion with this key was executed at {} and is recorded as {}.",
        format_timestamp(deletion.deleted_at),
        deletion.id
    );
    for line in archive_lines(deletion) {
        let _ = write!(text, "\n{line}.");
    }
    text
}

/// Returns whether the gateway could not tell if the session was connected.
const fn is_unknown_state(state: GatewaySessionState) -> bool {
    matches!(state, GatewaySessionState::Unreachable | GatewaySessionState::Unknown)
}

/// Returns the refusals and a table of the differences from the expected impact. The text is empty if there are none.
pub(super) fn refusal_text(refusals: &[Refusal], changes: &[ImpactChange]) -> String {
    let mut text = String::new();
    for refusal in refusals {
        let _ = writeln!(text, "✗ Refused: {}", use_flag_names(&refusal.message));
    }
    if !changes.is_empty() {
        let mut table =
            new_table(&["Table", "Deleted before", "Deleted now", "Unlinked before", "Unlinked now"], &[1, 2, 3, 4]);
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

/// Returns a table of deletions.
pub(in crate::cli) fn deletion_list(deletions: &[Deletion], has_more: bool) -> String {
    if deletions.is_empty() {
        return "No deletion meets the filter.".to_owned();
    }
    let headings = ["Deleted at", "Deletion", "Sessions", "Rows", "Unlinked", "Status", "By", "Reason"];
    let mut table = new_table(&headings, &[3, 4]);
    for deletion in deletions {
        table.add_row([
            format_timestamp(deletion.deleted_at),
            deletion.id.to_string(),
            session_summary(deletion),
            deletion.rows_deleted.to_string(),
            deletion.rows_unlinked.to_string(),
            deletion.status.as_str().to_lowercase().replace('_', " "),
            deletion.deleted_by.clone(),
            deletion.reason.clone().unwrap_or_default(),
        ]);
    }
    let older = if has_more { "\nThere are older deletions: use --limit or --deleted-before." } else { "" };
    format!("{table}{older}")
}

/// Returns the name or id of a deletion's only session, or the number of its sessions.
fn session_summary(deletion: &Deletion) -> String {
    match deletion.sessions.as_slice() {
        [only] => only.name.clone().unwrap_or_else(|| only.id.to_string()),
        several => pluralize(to_i64(several.len()), "session", "sessions"),
    }
}

/// Returns all details of one deletion.
pub(in crate::cli) fn deletion(deletion: &Deletion) -> String {
    let mut text = format!("Deleted at {} by {}", format_timestamp(deletion.deleted_at), deletion.deleted_by);
    if let Some(reason) = &deletion.reason {
        let _ = write!(text, ": {reason}");
    }
    text.push('\n');
    if !deletion.allowed.is_empty() {
        let _ = writeln!(text, "Allowed: {}", deletion.allowed.join(", "));
    }
    for line in archive_lines(deletion) {
        let _ = writeln!(text, "{line}");
    }
    for session in &deletion.sessions {
        let name = session.name.as_deref().unwrap_or_default();
        let gateway = session.gateway.map(|state| format!(" (gateway: {})", state.as_str())).unwrap_or_default();
        let line = format!("  {} {name}{gateway}", session.id);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = write!(text, "\n{}", table_impacts(&deletion.tables, deletion.rows_deleted, deletion.rows_unlinked));
    text
}

/// Returns the lines about the state of a deletion's archive.
fn archive_lines(deletion: &Deletion) -> Vec<String> {
    let until = deletion.restorable_until.map(format_timestamp).unwrap_or_default();
    let mut lines = Vec::new();
    match deletion.status {
        DeletionStatus::Restorable => lines.push(format!("Restorable until {until}")),
        DeletionStatus::Expired => lines.push(format!("Was restorable until {until}; it no longer is")),
        DeletionStatus::NotArchived => lines.push("Nothing was archived; it cannot be restored".to_owned()),
        DeletionStatus::Restored | DeletionStatus::Erased => {}
    }
    let by_principal =
        |principal: &Option<String>| principal.as_ref().map_or_else(String::new, |name| format!(" by {name}"));
    if let Some(at) = deletion.restored_at {
        lines.push(format!("Restored at {}{}", format_timestamp(at), by_principal(&deletion.restored_by)));
    }
    if let Some(at) = deletion.erased_at {
        lines.push(format!("Erased at {}{}", format_timestamp(at), by_principal(&deletion.erased_by)));
    }
    lines
}

/// The confirmation question before a deletion's archive is erased.
pub(in crate::cli) const ERASURE_QUESTION: &str =
    "Erase the archive of this deletion, the names of its sessions and its reason? It cannot be restored afterwards.";

/// Returns the outcome of a request for an erasure.
pub(in crate::cli) fn erasure_outcome(outcome: &ErasureOutcome) -> String {
    let mut text = refusal_text(&outcome.refusals, &[]);
    match &outcome.deletion {
        Some(deletion) if outcome.refusals.is_empty() => {
            let _ = write!(text, "✓ Erased the archive of {}, the names of its sessions and its reason.", deletion.id);
        }
        _ => text.push_str("Nothing was erased."),
    }
    text
}
