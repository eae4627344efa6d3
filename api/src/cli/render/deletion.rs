//! What deletions did.

use std::fmt::Write as _;

use super::impact::tables;
use super::{count, length, table, timestamp, use_flag_names};
use crate::deletion::{Deletion, DeletionOutcome, DeletionStatus, ErasureOutcome};
use crate::gateway::GatewaySessionState;
use crate::impact::ImpactChange;
use crate::refusal::Refusal;

/// What came of a deletion.
pub(in crate::cli) fn outcome(outcome: &DeletionOutcome) -> String {
    let mut text = refused(&outcome.refusals, &outcome.changes);
    match (&outcome.deletion, &outcome.impact) {
        (Some(deletion), _) if outcome.repeated => text.push_str(&replay_note(deletion)),
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
            let unknown =
                deletion.sessions.iter().filter(|session| session.gateway.is_some_and(is_unknown_state)).count();
            if unknown > 0 {
                let sessions = count(length(unknown), "session", "sessions");
                let _ = write!(text, "\n! The gateway could not say of {sessions} whether it was connected.");
            }
            if let Some(until) = deletion.restorable_until {
                let _ = write!(
                    text,
                    "\n`session-admin restore {}` takes it back, until {}.",
                    deletion.id,
                    timestamp(until)
                );
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

/// The answer of a request that was made before, under the same key.
fn replay_note(deletion: &Deletion) -> String {
    let mut text = format!(
        "Nothing was deleted now: this key's deletion was made at {} and is recorded as {}.",
        timestamp(deletion.deleted_at),
        deletion.id
    );
    for line in archive(deletion) {
        let _ = write!(text, "\n{line}.");
    }
    text
}

const fn is_unknown_state(state: GatewaySessionState) -> bool {
    matches!(state, GatewaySessionState::Unreachable | GatewaySessionState::Unknown)
}

/// Why nothing is done, and where the impact is another one than was looked at; nothing where nothing is in the way.
pub(super) fn refused(refusals: &[Refusal], changes: &[ImpactChange]) -> String {
    let mut text = String::new();
    for refusal in refusals {
        let _ = writeln!(text, "✗ Refused: {}", use_flag_names(&refusal.message));
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
    let headings = ["Deleted at", "Deletion", "Sessions", "Rows", "Unlinked", "Status", "By", "Reason"];
    let mut table = table(&headings, &[3, 4]);
    for deletion in deletions {
        table.add_row([
            timestamp(deletion.deleted_at),
            deletion.id.to_string(),
            sessions(deletion),
            deletion.rows_deleted.to_string(),
            deletion.rows_unlinked.to_string(),
            deletion.status.as_str().to_lowercase().replace('_', " "),
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
    let mut text = format!("Deleted at {} by {}", timestamp(deletion.deleted_at), deletion.deleted_by);
    if let Some(reason) = &deletion.reason {
        let _ = write!(text, ": {reason}");
    }
    text.push('\n');
    if !deletion.allowed.is_empty() {
        let _ = writeln!(text, "Allowed: {}", deletion.allowed.join(", "));
    }
    for line in archive(deletion) {
        let _ = writeln!(text, "{line}");
    }
    for session in &deletion.sessions {
        let name = session.name.as_deref().unwrap_or_default();
        let gateway = session.gateway.map(|state| format!(" (gateway: {})", state.as_str())).unwrap_or_default();
        let line = format!("  {} {name}{gateway}", session.id);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = write!(text, "\n{}", tables(&deletion.tables, deletion.rows_deleted, deletion.rows_unlinked));
    text
}

/// What has become of what it kept, line by line.
fn archive(deletion: &Deletion) -> Vec<String> {
    let until = deletion.restorable_until.map(timestamp).unwrap_or_default();
    let mut lines = Vec::new();
    match deletion.status {
        DeletionStatus::Restorable => lines.push(format!("Restorable until {until}")),
        DeletionStatus::Expired => lines.push(format!("Was restorable until {until}; it no longer is")),
        DeletionStatus::NotArchived => lines.push("Nothing was kept; it cannot be restored".to_owned()),
        DeletionStatus::Restored | DeletionStatus::Erased => {}
    }
    let by = |principal: &Option<String>| principal.as_ref().map_or_else(String::new, |name| format!(" by {name}"));
    if let Some(at) = deletion.restored_at {
        lines.push(format!("Restored at {}{}", timestamp(at), by(&deletion.restored_by)));
    }
    if let Some(at) = deletion.erased_at {
        lines.push(format!("Erased at {}{}", timestamp(at), by(&deletion.erased_by)));
    }
    lines
}

/// Asked before what a deletion kept is erased.
pub(in crate::cli) const ERASURE_QUESTION: &str =
    "Erase what this deletion kept, its sessions' names and its reason? It can never be restored then.";

/// What came of an erasure.
pub(in crate::cli) fn erasure(outcome: &ErasureOutcome) -> String {
    let mut text = refused(&outcome.refusals, &[]);
    match &outcome.deletion {
        Some(deletion) if outcome.refusals.is_empty() => {
            let _ = write!(text, "✓ Erased what {} kept, its sessions' names and its reason.", deletion.id);
        }
        _ => text.push_str("Nothing was erased."),
    }
    text
}
