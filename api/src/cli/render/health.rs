//! Schema health.

use std::fmt::Write as _;

use super::{count, length, table};
use crate::schema_health::{Finding, SchemaHealth, Severity};

/// Schema health: the findings with their fixes, then the verdict.
pub(in crate::cli) fn health(health: &SchemaHealth) -> String {
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
