//! The text about the impact of a deletion.

use std::fmt::Write as _;

use super::{blank_if_zero, new_table, pluralize, to_i64};
use crate::impact::{Impact, TableImpact};

/// Returns the impact of a deletion: the deleted and unlinked rows per table, the blockers, warnings and the verdict.
pub(in crate::cli) fn impact(impact: &Impact) -> String {
    let mut text = format!("What deleting {} does:\n\n", pluralize(impact.session_count, "session", "sessions"));
    text.push_str(&table_impacts(&impact.tables, impact.rows_deleted, impact.rows_unlinked));
    text.push('\n');
    if !impact.blockers.is_empty() {
        text.push_str("\nBlocked by:\n");
        for blocker in &impact.blockers {
            let _ = writeln!(text, "  ✗ {}", blocker.message);
        }
    }
    let warnings = [
        (impact.connected_sessions, "connected session", "connected sessions"),
        (impact.pending_messages, "message still to be sent", "messages still to be sent"),
    ];
    for (rows, one, many) in warnings.into_iter().filter(|(rows, ..)| *rows > 0) {
        let _ = writeln!(text, "\n! {} among them.", pluralize(rows, one, many));
    }
    let _ = write!(text, "\n{}", verdict(impact));
    text
}

fn verdict(impact: &Impact) -> String {
    let effect =
        format!("{} deleted, {} unlinked", pluralize(impact.rows_deleted, "row", "rows"), impact.rows_unlinked);
    if impact.deletable {
        format!("✓ Can be deleted: {effect}.")
    } else {
        format!("✗ Cannot be deleted: {}.", pluralize(to_i64(impact.blockers.len()), "blocker", "blockers"))
    }
}

/// Returns a table of the deleted and unlinked rows per table, with warnings about the rows that cannot be restored.
pub(super) fn table_impacts(parts: &[TableImpact], rows_deleted: i64, rows_unlinked: i64) -> String {
    let mut table = new_table(&["Table", "Deleted", "Unlinked", "Reached through"], &[1, 2]);
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
        let _ = write!(text, "\n\n! {}", restore_warning(part));
    }
    text
}

/// Returns the reason why a restore would be incomplete for this table.
fn restore_warning(part: &TableImpact) -> String {
    let table = &part.table;
    let no_key = "a restore could not find its unlinked rows, and would not link them again";
    let no_insert = "a restore could not insert its rows";
    match (part.rows_deleted, part.rows_unlinked) {
        (0, _) => format!("{table} has no key: {no_key}."),
        (_, 0) => {
            format!("This role lacks INSERT on {table}: {no_insert}. `session-admin doctor` shows how to grant it.")
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
