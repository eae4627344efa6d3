//! Schema health: every code, on either database where it can happen, and every fix run for real.

mod accepted_findings;
mod foreign_keys;
mod orphaned_rows;
mod roles;
mod triggers;

use std::collections::BTreeMap;

use api::db::{Database, Dialect};
use api::demo::scenario;
use api::schema_health::{AcceptedFindings, Finding, FindingCode, SchemaHealth, Severity, diagnose};

use crate::support::TestDb;
use crate::support::legacy::Legacy;

/// The diagnosis with nothing accepted.
async fn diagnosis(db: &Database) -> SchemaHealth {
    diagnose(db, &AcceptedFindings(BTreeMap::new())).await.unwrap()
}

/// The finding with this key.
async fn finding(db: &TestDb, key: &str) -> Option<Finding> {
    diagnosis(db.database().await).await.findings.into_iter().find(|finding| finding.key == key)
}

/// The legacy tables with these liberties, and the scenario's rows.
async fn load(db: &TestDb, legacy: &Legacy) {
    let mut statements = legacy.statements(db.dialect());
    statements.extend(scenario::statements(db.dialect(), None));
    db.exec_all(&statements).await;
}

/// What a finding says, without its words.
#[derive(Debug, PartialEq, Eq)]
struct Facts {
    code: FindingCode,
    severity: Severity,
    rows: i64,
    fixes: usize,
}

async fn facts(db: &TestDb, key: &str) -> Facts {
    let finding = finding(db, key).await.unwrap_or_else(|| panic!("{key} is not found"));
    assert!(!finding.accepted && finding.message.ends_with('.'), "{finding:?}");
    assert!(finding.fixes.iter().all(|fix| fix.consequence.ends_with('.')), "{finding:?}");
    Facts { code: finding.code, severity: finding.severity, rows: finding.rows_at_risk, fixes: finding.fixes.len() }
}

/// Runs the finding's fix with this number, and the finding is gone. SQLite cannot change a key: there the statement is
/// a comment that names what to do.
async fn mend(db: &TestDb, key: &str, number: usize) {
    let before = finding(db, key).await.unwrap_or_else(|| panic!("{key} is not found"));
    let statement = &before.fixes[number].statement;
    if db.dialect() == Dialect::Sqlite && statement.starts_with("--") {
        assert!(
            statement.contains("session-admin migrate") || statement.contains("PRAGMA foreign_keys = OFF"),
            "{statement}"
        );
        return;
    }
    db.exec(statement).await;
    assert_eq!(finding(db, key).await, None, "{statement}");
}
