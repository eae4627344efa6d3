//! The text about schema health.

use std::fmt::Write as _;

use super::{new_table, pluralize, to_i64};
use crate::schema_health::{Finding, SchemaHealth, Severity};

/// Returns the findings of schema health with their fixes, followed by the verdict.
pub(in crate::cli) fn health(health: &SchemaHealth) -> String {
    let mut text = String::new();
    if !health.findings.is_empty() {
        let mut table = new_table(&["Severity", "Finding", "Rows at risk"], &[2]);
        for finding in &health.findings {
            table.add_row([severity_label(finding).to_owned(), finding.key.clone(), finding.rows_at_risk.to_string()]);
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
            "✓ Healthy: {} deletions.",
            pluralize(to_i64(health.foreign_keys.len()), "foreign key allows", "foreign keys allow")
        ),
        errors => write!(text, "✗ Not healthy: {}.", pluralize(to_i64(errors), "error", "errors")),
    };
    text
}

fn severity_label(finding: &Finding) -> &'static str {
    match finding.severity {
        _ if finding.accepted => "accepted",
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
        Severity::Info => "INFO",
    }
}

/// Returns a finding's message and the statements that fix it.
fn advice(finding: &Finding) -> String {
    let mut text = format!("\n{} {}\n  {}\n", severity_label(finding), finding.key, finding.message);
    for (number, fix) in finding.fixes.iter().enumerate() {
        let label = if number == 0 { "Fix:" } else { "Or: " };
        let statement = fix.statement.replace('\n', "\n       ");
        let _ = writeln!(text, "  {label} {statement}\n       → {}", fix.consequence);
    }
    text
}
