//! The diagnosis and its findings.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::catalog::Action;

/// The diagnosis of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaHealth {
    /// Whether all findings of severity ERROR are accepted, or there are none.
    pub healthy: bool,
    /// The findings, errors first, then by key.
    pub findings: Vec<Finding>,
    /// The foreign keys that a deletion of a session can reach, by table and constraint.
    pub foreign_keys: Vec<ForeignKeyState>,
    /// The migrations that `session-admin migrate` would apply, in their order.
    pub pending_migrations: Vec<String>,
}

/// A foreign key to a table of which a deletion of a session can delete rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForeignKeyState {
    /// The constraint's name.
    pub constraint: String,
    /// The referring table.
    pub table: String,
    /// The referring columns, in the key's order.
    pub columns: Vec<String>,
    /// The referenced table.
    pub referenced_table: String,
    /// The referenced columns, in the same order.
    pub referenced_columns: Vec<String>,
    /// The ON DELETE rule.
    pub on_delete: Action,
    /// Whether all referring columns are nullable.
    pub nullable: bool,
    /// Whether an index leads with the referring columns.
    pub indexed: bool,
    /// Whether every existing row has been checked against the key.
    pub validated: bool,
}

/// One problem of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// A stable name, such as `BLOCKS_DELETION:webinars.whatsapp_group_id`, by which the configuration accepts the
    /// finding.
    pub key: String,
    /// The kind of finding.
    pub code: FindingCode,
    /// The severity.
    pub severity: Severity,
    /// The affected table.
    pub table: String,
    /// The affected foreign key, if the finding is about one.
    pub constraint: Option<String>,
    /// The problem and its consequence.
    pub message: String,
    /// The number of affected rows. It is 0 if this role may not count them, and then the message says so.
    pub rows_at_risk: i64,
    /// Whether the configuration accepts the finding.
    pub accepted: bool,
    /// Ways to repair it; the first is recommended.
    pub fixes: Vec<Fix>,
}

/// One way to repair a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// SQL for this database; SQL comments with instructions where SQLite has no statement for it.
    pub statement: String,
    /// The consequence for the rows.
    pub consequence: String,
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// A deletion is refused, or its preview would be wrong.
    Error,
    /// A deletion works, but is slow or has a risk.
    Warning,
    /// Information only.
    Info,
}

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingCode {
    /// A foreign key whose rule blocks the deletion of its parent.
    BlocksDeletion,
    /// ON DELETE SET NULL on a column that is NOT NULL.
    SetNullOnNotNull,
    /// No index leads with the referring columns.
    UnindexedForeignKey,
    /// Existing rows have not been checked against the key.
    UnvalidatedForeignKey,
    /// Two keys on the same columns to the same table.
    DuplicateForeignKey,
    /// A foreign key is missing, or has another rule than this program expects.
    RuleDrift,
    /// Row-level security hides rows from this role.
    RowSecurityHidesRows,
    /// A user-defined trigger fires during a deletion.
    UserTrigger,
    /// References to rows that do not exist.
    OrphanedRows,
    /// This role lacks a privilege that a deletion needs.
    MissingGrant,
    /// Another role may delete sessions or groups without this program.
    DirectDeleteGranted,
}

impl FindingCode {
    /// Returns the code for output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlocksDeletion => "BLOCKS_DELETION",
            Self::SetNullOnNotNull => "SET_NULL_ON_NOT_NULL",
            Self::UnindexedForeignKey => "UNINDEXED_FOREIGN_KEY",
            Self::UnvalidatedForeignKey => "UNVALIDATED_FOREIGN_KEY",
            Self::DuplicateForeignKey => "DUPLICATE_FOREIGN_KEY",
            Self::RuleDrift => "RULE_DRIFT",
            Self::RowSecurityHidesRows => "ROW_SECURITY_HIDES_ROWS",
            Self::UserTrigger => "USER_TRIGGER",
            Self::OrphanedRows => "ORPHANED_ROWS",
            Self::MissingGrant => "MISSING_GRANT",
            Self::DirectDeleteGranted => "DIRECT_DELETE_GRANTED",
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The accepted findings of the configuration: the reason for each key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcceptedFindings(pub BTreeMap<String, String>);
