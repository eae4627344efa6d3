//! The GraphQL types of schema health: the diagnosis, its findings and their fixes.

use async_graphql::{Enum, SimpleObject};

use super::ForeignKeyAction;
use crate::schema_health;

/// The diagnosis of the foreign keys that a session's deletion can reach.
#[derive(Debug, SimpleObject)]
pub struct SchemaHealth {
    /// Whether there is no finding of severity ERROR that is not accepted.
    healthy: bool,
    /// What is wrong.
    findings: Vec<SchemaFinding>,
    /// The foreign keys themselves.
    foreign_keys: Vec<ForeignKey>,
    /// The changes that `session-admin migrate` would make.
    pending_migrations: Vec<String>,
}

impl From<schema_health::SchemaHealth> for SchemaHealth {
    fn from(health: schema_health::SchemaHealth) -> Self {
        Self {
            healthy: health.healthy,
            findings: health.findings.into_iter().map(Into::into).collect(),
            foreign_keys: health.foreign_keys.into_iter().map(Into::into).collect(),
            pending_migrations: health.pending_migrations,
        }
    }
}

/// A foreign key as the database's own catalogue has it now.
#[derive(Debug, SimpleObject)]
pub struct ForeignKey {
    /// The constraint's name.
    constraint: String,
    /// The referring table.
    table: String,
    /// Its columns, in the key's order.
    columns: Vec<String>,
    /// The table that they refer to.
    referenced_table: String,
    /// Its columns, in the same order.
    referenced_columns: Vec<String>,
    /// What it does when the row that it refers to is deleted.
    on_delete: ForeignKeyAction,
    /// Whether every referring column takes null.
    nullable: bool,
    /// An index leads with these columns; without one, every deleted parent row costs a scan of the whole table.
    indexed: bool,
    /// Whether every existing row has been checked against it.
    validated: bool,
}

impl From<schema_health::ForeignKeyState> for ForeignKey {
    fn from(key: schema_health::ForeignKeyState) -> Self {
        Self {
            constraint: key.constraint,
            table: key.table,
            columns: key.columns,
            referenced_table: key.referenced_table,
            referenced_columns: key.referenced_columns,
            on_delete: key.on_delete.into(),
            nullable: key.nullable,
            indexed: key.indexed,
            validated: key.validated,
        }
    }
}

/// key is stable over time, so that a finding can be accepted by name in the configuration; rowsAtRisk counts the rows that it concerns today.
#[derive(Debug, SimpleObject)]
pub struct SchemaFinding {
    /// The name to accept it by.
    key: String,
    /// What kind of fault it is.
    code: SchemaFindingCode,
    /// How bad it is.
    severity: Severity,
    /// The table that it is about.
    table: String,
    /// The constraint that it is about, where it is about one.
    constraint: Option<String>,
    /// What is wrong and what follows from it.
    message: String,
    /// The rows that it concerns today.
    rows_at_risk: i64,
    /// Whether the configuration accepts it.
    accepted: bool,
    /// The ways to mend it.
    fixes: Vec<SchemaFix>,
}

impl From<schema_health::Finding> for SchemaFinding {
    fn from(finding: schema_health::Finding) -> Self {
        Self {
            key: finding.key,
            code: finding.code.into(),
            severity: finding.severity.into(),
            table: finding.table,
            constraint: finding.constraint,
            message: finding.message,
            rows_at_risk: finding.rows_at_risk,
            accepted: finding.accepted,
            fixes: finding.fixes.into_iter().map(Into::into).collect(),
        }
    }
}

/// One way to mend a finding, in SQL for this database, and what choosing it means for the rows.
#[derive(Debug, SimpleObject)]
pub struct SchemaFix {
    /// The SQL.
    statement: String,
    /// What it means for the rows.
    consequence: String,
}

impl From<schema_health::Fix> for SchemaFix {
    fn from(fix: schema_health::Fix) -> Self {
        Self { statement: fix.statement, consequence: fix.consequence }
    }
}

/// The kinds of fault that schema health looks for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "schema_health::FindingCode")]
pub enum SchemaFindingCode {
    /// A rule of NO ACTION or RESTRICT can refuse a deletion.
    BlocksDeletion,
    /// ON DELETE SET NULL on a column that takes no null: the deletion is refused.
    SetNullOnNotNull,
    /// No index leads with the referring columns.
    UnindexedForeignKey,
    /// Existing rows have never been checked against the foreign key.
    UnvalidatedForeignKey,
    /// Two foreign keys say the same, or contradict each other.
    DuplicateForeignKey,
    /// The rule is not the one that this tool's migrations set.
    RuleDrift,
    /// Row-level security hides rows, so that counts would be wrong.
    RowSecurityHidesRows,
    /// A user's trigger fires on rows that a deletion reaches.
    UserTrigger,
    /// Rows refer to rows that do not exist.
    OrphanedRows,
    /// The role lacks a privilege that a deletion needs.
    MissingGrant,
    /// Another role can delete sessions directly, without audit.
    DirectDeleteGranted,
}

/// How bad a finding is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "schema_health::Severity")]
pub enum Severity {
    /// Deletions are refused, or wrong.
    Error,
    /// Deletions work, but slowly or not as expected.
    Warning,
    /// Good to know.
    Info,
}
