//! Tables and sentences for people.

use std::fmt::Write as _;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::purge::Spared;
use crate::deletion::DeletionOutcome;
use crate::health::{Finding, SchemaHealth, Severity};
use crate::impact::{Impact, TableImpact};

/// The narrowest terminal, in characters, into which a table is fitted.
const NARROWEST: u16 = 60;

/// A preview: what goes, what stays unlinked, what stands in the way, the verdict, the token.
pub(super) fn impact(impact: &Impact) -> String {
    let mut text = format!("What deleting {} does:\n\n", count(impact.session_count, "session", "sessions"));
    text.push_str(&tables(impact));
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

fn tables(impact: &Impact) -> String {
    let mut table = table(&["Table", "Deleted", "Unlinked", "Reached through"], &[1, 2]);
    for part in &impact.tables {
        table.add_row([part.table.clone(), zero(part.rows_deleted), zero(part.rows_unlinked), references(part)]);
    }
    table.add_row([
        "Total".to_owned(),
        impact.rows_deleted.to_string(),
        impact.rows_unlinked.to_string(),
        String::new(),
    ]);
    table.to_string()
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

/// What came of a deletion.
pub(super) fn outcome(outcome: &DeletionOutcome) -> String {
    let mut text = String::new();
    for refusal in &outcome.refusals {
        let _ = writeln!(text, "✗ Refused: {}", refusal.message);
    }
    if !outcome.changes.is_empty() {
        let mut table =
            table(&["Table", "Deleted before", "Deleted now", "Unlinked before", "Unlinked now"], &[1, 2, 3, 4]);
        for change in &outcome.changes {
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

/// Schema health: the findings with their fixes, then the verdict.
pub(super) fn health(health: &SchemaHealth) -> String {
    let mut text = String::new();
    if !health.findings.is_empty() {
        let mut table = table(&["Severity", "Finding", "Rows at risk"], &[2]);
        for finding in &health.findings {
            table.add_row([severity(finding).to_owned(), finding.key.clone(), finding.rows_at_risk.to_string()]);
        }
        let _ = writeln!(text, "{table}");
        for finding in health.findings.iter().filter(|finding| !finding.accepted) {
            text.push_str(&advice(finding));
        }
    }
    if !health.pending_migrations.is_empty() {
        let names = health.pending_migrations.join(", ");
        let _ = writeln!(text, "\nPending migrations, which `session-admin migrate` applies: {names}");
    }
    let errors =
        health.findings.iter().filter(|finding| finding.severity == Severity::Error && !finding.accepted).count();
    let _ = match errors {
        0 => write!(
            text,
            "✓ Healthy: {} let deletions through.",
            count(length(health.foreign_keys.len()), "foreign key", "foreign keys")
        ),
        errors => write!(text, "✗ Not healthy: {}.", count(length(errors), "error", "errors")),
    };
    text
}

fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        _ if finding.accepted => "accepted",
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
        Severity::Info => "INFO",
    }
}

fn advice(finding: &Finding) -> String {
    let mut text = format!("\n{} {}\n  {}\n", severity(finding), finding.key, finding.message);
    for (number, fix) in finding.fixes.iter().enumerate() {
        let label = if number == 0 { "Fix:" } else { "Or: " };
        let statement = fix.statement.replace('\n', "\n       ");
        let _ = writeln!(text, "  {label} {statement}\n       → {}", fix.consequence);
    }
    text
}

/// The history, applied and pending.
pub(super) fn migrations(status: &[(String, bool)]) -> String {
    let mut table = table(&["Migration", "State"], &[]);
    for (name, applied) in status {
        table.add_row([name.as_str(), if *applied { "applied" } else { "pending" }]);
    }
    table.to_string()
}

/// What `migrate` is about to do.
pub(super) fn pending(names: &[String], purge: Option<&Impact>, spared: &[Spared]) -> String {
    let mut text = format!("Pending:\n  {}\n\n", names.join("\n  "));
    if !spared.is_empty() {
        let _ = writeln!(text, "{}\n", self::spared(spared));
    }
    let Some(purge) = purge else {
        text.push_str(if spared.is_empty() {
            "No stale session is there to purge."
        } else {
            "No other stale session is there to purge."
        });
        return text;
    };
    let _ = writeln!(
        text,
        "The purge takes {}: not connected, never paired, not updated within 24 hours, no message still to be sent.\n\n{}",
        count(purge.session_count, "stale session", "stale sessions"),
        impact(purge)
    );
    if !purge.deletable {
        text.push_str(
            "\nThe pending fixes come first and mend foreign keys; the purge is then worked out anew, shown again, and made \
             only if nothing is in the way.\n",
        );
    }
    text
}

/// The stale sessions that the purge leaves, a line each.
pub(super) fn spared(spared: &[Spared]) -> String {
    let lines: Vec<String> = spared
        .iter()
        .map(|session| {
            let messages = count(session.pending_messages, "message is", "messages are");
            format!("Spared: {}, as {messages} still to be sent.", session.name)
        })
        .collect();
    lines.join("\n")
}

fn table(header: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    // Fitted to the terminal, unless it has no room (some report a width of 0): then the terminal wraps the lines.
    if table.width().is_some_and(|width| width >= NARROWEST) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(header.iter().map(Cell::new));
    for column in numbers {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// An empty cell reads better than a column of noughts.
fn zero(number: i64) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

fn count(number: i64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn length(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
