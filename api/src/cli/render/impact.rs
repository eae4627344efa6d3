//! What a deletion would do.

use std::fmt::Write as _;

use super::{blank_if_zero, count, length, table};
use crate::impact::{Impact, TableImpact};

/// A preview: what goes, what stays unlinked, what stands in the way, the verdict, the token.
pub(in crate::cli) fn impact(impact: &Impact) -> String {
    let mut text = format!("What deleting {} does:\n\n", count(impact.session_count, "session", "sessions"));
    text.push_str(&tables(&impact.tables, impact.rows_deleted, impact.rows_unlinked));
    text.push('\n');
    if !impact.blockers.is_empty() {
        text.push_str("\nIn the way:\n");
        for blocker in &impact.blockers {
            let _ = writeln!(text, "  ✗ {}", blocker.message);
        }
    }
    let remarks = [
        (impact.connected_sessions, "connected session", "connected sessions"),
        (impact.pending_messages, "message still to be sent", "messages still to be sent"),
    ];
    for (rows, one, many) in remarks.into_iter().filter(|(rows, ..)| *rows > 0) {
        let _ = writeln!(text, "\n! {} among them.", count(rows, one, many));
    }
    let _ = write!(text, "\n{}", verdict(impact));
    text
}

fn verdict(impact: &Impact) -> String {
    let effect = format!("{} deleted, {} unlinked", count(impact.rows_deleted, "row", "rows"), impact.rows_unlinked);
    if impact.deletable {
        format!("✓ Can be deleted: {effect}.")
    } else {
        format!("✗ Cannot be deleted: {} in the way.", count(length(impact.blockers.len()), "blocker", "blockers"))
    }
}

/// What happens, or has happened, table by table.
pub(super) fn tables(parts: &[TableImpact], rows_deleted: i64, rows_unlinked: i64) -> String {
    let mut table = table(&["Table", "Deleted", "Unlinked", "Reached through"], &[1, 2]);
    for part in parts {
        table.add_row([
            part.table.clone(),
            blank_if_zero(part.rows_deleted),
            blank_if_zero(part.rows_unlinked),
            references(part),
        ]);
    }
    table.add_row(["Total".to_owned(), rows_deleted.to_string(), rows_unlinked.to_string(), String::new()]);
    let mut text = table.to_string();
    for part in parts.iter().filter(|part| !part.restorable) {
        let _ = write!(text, "\n\n! {}", not_restorable(part));
    }
    text
}

fn not_restorable(part: &TableImpact) -> String {
    let table = &part.table;
    let no_key = "a restore could not find its unlinked rows again, and would leave them so";
    let no_insert = "a restore could not put its rows back";
    match (part.rows_deleted, part.rows_unlinked) {
        (0, _) => format!("{table} has no key: {no_key}."),
        (_, 0) => {
            format!("This role lacks INSERT on {table}: {no_insert}. `session-admin doctor` says how to grant it.")
        }
        _ => format!("{table} has no key, so {no_key}; or this role lacks INSERT on it, so {no_insert}."),
    }
}

fn references(part: &TableImpact) -> String {
    let lines: Vec<String> = part
        .references
        .iter()
        .map(|reference| {
            format!("{} → {} ({})", reference.columns.join(", "), reference.referenced_table, reference.on_delete)
        })
        .collect();
    lines.join("\n")
}
