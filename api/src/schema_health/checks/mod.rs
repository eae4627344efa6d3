//! The checks, one a file. Each is a function of the scene and gives drafts; the rows are counted afterwards, all at
//! once.

mod blocks_deletion;
mod direct_delete;
mod duplicate;
mod grants;
mod orphans;
mod row_security;
mod rule_drift;
mod set_null;
mod triggers;
mod unindexed;
mod unvalidated;

use super::check_context::Scene;
use super::{FindingCode, Fix, Severity};
use crate::catalog::ForeignKey;

/// A finding whose rows are still to be counted.
pub(super) struct Draft {
    pub code: FindingCode,
    pub severity: Severity,
    pub table: String,
    pub constraint: Option<String>,
    /// What it is about, within its code: the second half of the key.
    pub subject: String,
    pub message: String,
    /// SQL that counts the rows at risk; none where this role may not.
    pub rows: Option<String>,
    /// It is only a finding while there are such rows.
    pub only_with_rows: bool,
    pub fixes: Vec<Fix>,
}

impl Draft {
    /// A draft about a foreign key; without rows and fixes yet.
    fn about_key(scene: &Scene, code: FindingCode, severity: Severity, key: &ForeignKey, message: String) -> Self {
        Self {
            code,
            severity,
            table: scene.table(key.table).display.clone(),
            constraint: Some(key.constraint.clone()),
            subject: scene.subject(key.table, &key.columns),
            message,
            rows: None,
            only_with_rows: false,
            fixes: Vec::new(),
        }
    }

    /// A draft about a table; without rows and fixes yet.
    fn about_table(code: FindingCode, severity: Severity, table: &str, message: String) -> Self {
        Self {
            code,
            severity,
            table: table.to_owned(),
            constraint: None,
            subject: table.to_owned(),
            message,
            rows: None,
            only_with_rows: false,
            fixes: Vec::new(),
        }
    }
}

/// Every check.
pub(super) fn all(scene: &Scene) -> Vec<Draft> {
    const CHECKS: [fn(&Scene) -> Vec<Draft>; 11] = [
        blocks_deletion::check,
        set_null::check,
        unindexed::check,
        unvalidated::check,
        duplicate::check,
        rule_drift::check,
        row_security::check,
        triggers::check,
        orphans::check,
        grants::check,
        direct_delete::check,
    ];
    CHECKS.iter().flat_map(|check| check(scene)).collect()
}
