//! Tests of schema health: every finding code on each database where it can occur, and every fix executed.

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

/// Returns the diagnosis without accepted findings.
async fn diagnose_all(db: &Database) -> SchemaHealth {
    diagnose(db, &AcceptedFindings(BTreeMap::new())).await.unwrap()
}

/// Returns the finding with this key.
async fn find_finding(db: &TestDb, key: &str) -> Option<Finding> {
    diagnose_all(db.database().await).await.findings.into_iter().find(|finding| finding.key == key)
}

/// Creates the legacy tables with these variations, and the scenario's rows.
async fn create_legacy(db: &TestDb, legacy: &Legacy) {
    let mut statements = legacy.statements(db.dialect());
    statements.extend(scenario::statements(db.dialect(), None));
    db.exec_all(&statements).await;
}

/// The properties of a finding without its texts.
#[derive(Debug, PartialEq, Eq)]
struct Facts {
    code: FindingCode,
    severity: Severity,
    rows: i64,
    fixes: usize,
}

async fn find_facts(db: &TestDb, key: &str) -> Facts {
    let finding = find_finding(db, key).await.unwrap_or_else(|| panic!("{key} is not found"));
    assert!(!finding.accepted && finding.message.ends_with('.'), "{finding:?}");
    assert!(finding.fixes.iter().all(|fix| fix.consequence.ends_with('.')), "{finding:?}");
    Facts { code: finding.code, severity: finding.severity, rows: finding.rows_at_risk, fixes: finding.fixes.len() }
}

/// Executes the fix with this index, and asserts that the finding disappears. SQLite cannot change a foreign key: there
/// the statement may be a comment that names the necessary steps.
async fn apply_fix(db: &TestDb, key: &str, number: usize) {
    let before = find_finding(db, key).await.unwrap_or_else(|| panic!("{key} is not found"));
    let statement = &before.fixes[number].statement;
    if db.dialect() == Dialect::Sqlite && statement.starts_with("--") {
        assert!(
            statement.contains("session-admin migrate") || statement.contains("PRAGMA foreign_keys = OFF"),
            "{statement}"
        );
        return;
    }
    db.exec(statement).await;
    assert_eq!(find_finding(db, key).await, None, "{statement}");
}
