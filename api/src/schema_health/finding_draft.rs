//! Findings before their rows are counted.

use super::check_context::CheckContext;
use super::model::{FindingCode, Fix, Severity};
use crate::catalog::ForeignKey;

/// A finding whose rows at risk have not been counted yet.
pub(super) struct FindingDraft {
    pub code: FindingCode,
    pub severity: Severity,
    pub table: String,
    pub constraint: Option<String>,
    /// The second half of the key: the affected object, unique within the code.
    pub subject: String,
    pub message: String,
    /// SQL that counts the rows at risk; none if this role may not count them.
    pub rows: Option<String>,
    /// Whether it is a finding only if there are rows at risk.
    pub only_with_rows: bool,
    pub fixes: Vec<Fix>,
}

impl FindingDraft {
    /// Returns a draft about a foreign key, without rows and fixes.
    pub fn about_key(
        context: &CheckContext,
        code: FindingCode,
        severity: Severity,
        key: &ForeignKey,
        message: String,
    ) -> Self {
        Self {
            code,
            severity,
            table: context.table(key.table).display.clone(),
            constraint: Some(key.constraint.clone()),
            subject: context.subject(key.table, &key.columns),
            message,
            rows: None,
            only_with_rows: false,
            fixes: Vec::new(),
        }
    }

    /// Returns a draft about a table, without rows and fixes.
    pub fn about_table(code: FindingCode, severity: Severity, table: &str, message: String) -> Self {
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
