//! Schema health: whether every foreign key that a session's deletion can reach lets the deletion through, and what
//! else about the database stands in its way. One check a file, below `checks`; each reads the same scene.

mod catalog_facts;
mod check_context;
mod checks;
mod hstore;
mod repair_sql;
mod row_counts;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::catalog::{self, Action};
use crate::db::Database;
use crate::error::Error;

pub use hstore::ClosedHstore;

use check_context::Scene;
use checks::Draft;

/// The diagnosis of the foreign-key graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaHealth {
    /// No finding of severity ERROR, but for accepted ones.
    pub healthy: bool,
    /// What is wrong: errors first, then by key.
    pub findings: Vec<Finding>,
    /// The foreign keys that a session's deletion can reach, by table and constraint.
    pub foreign_keys: Vec<ForeignKeyState>,
    /// The migrations that `session-admin migrate` would apply, in their order.
    pub pending_migrations: Vec<String>,
}

/// A foreign key that refers to a table whose rows a session's deletion can delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ForeignKeyState {
    /// The constraint's name.
    pub constraint: String,
    /// The referring table.
    pub table: String,
    /// Its columns, in the key's order.
    pub columns: Vec<String>,
    /// The table referred to.
    pub referenced_table: String,
    /// Its columns, in the same order.
    pub referenced_columns: Vec<String>,
    /// The rule for a deleted parent.
    pub on_delete: Action,
    /// Whether every one of the referring columns takes null.
    pub nullable: bool,
    /// Whether an index leads with the referring columns.
    pub indexed: bool,
    /// Whether every existing row has been checked against the key.
    pub validated: bool,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Stable over time, such as `BLOCKS_DELETION:webinars.whatsapp_group_id`; the name under which it is accepted.
    pub key: String,
    /// What kind of thing it is.
    pub code: FindingCode,
    /// How bad it is.
    pub severity: Severity,
    /// The table that it is about.
    pub table: String,
    /// The foreign key that it is about, where it is about one.
    pub constraint: Option<String>,
    /// What is wrong and what that does.
    pub message: String,
    /// The rows that it concerns today; 0 where this role may not count them, which the message then says.
    pub rows_at_risk: i64,
    /// Whether the configuration accepts it by name.
    pub accepted: bool,
    /// Ways to mend it; the first is the one to take unless there is a reason not to.
    pub fixes: Vec<Fix>,
}

/// One way to mend a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fix {
    /// SQL for this database; where SQLite has none, comments in SQL that say what to do.
    pub statement: String,
    /// What choosing it means for the rows.
    pub consequence: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Severity {
    /// A deletion is refused, or what is shown of it would be wrong.
    Error,
    /// A deletion works, at a price or with a risk.
    Warning,
    /// Good to know.
    Info,
}

/// What kind of thing a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FindingCode {
    /// A foreign key whose rule refuses to let its parent go.
    BlocksDeletion,
    /// ON DELETE SET NULL on a column that takes no null.
    SetNullOnNotNull,
    /// No index leads with the referring columns.
    UnindexedForeignKey,
    /// Existing rows have not been checked against the key.
    UnvalidatedForeignKey,
    /// Two keys on the same columns to the same table.
    DuplicateForeignKey,
    /// The rule differs from the one that this program expects, or the key is missing.
    RuleDrift,
    /// Row-level security hides rows from this role.
    RowSecurityHidesRows,
    /// A trigger of somebody else's fires during a deletion.
    UserTrigger,
    /// References to rows that do not exist.
    OrphanedRows,
    /// This role lacks a privilege that a deletion needs.
    MissingGrant,
    /// Another role may delete sessions or groups past this program.
    DirectDeleteGranted,
}

impl FindingCode {
    /// The code as the contract writes it.
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

/// The findings that the configuration accepts: key → reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted(pub BTreeMap<String, String>);

/// Examines the database. The number of statements depends neither on the number of tables nor on that of findings;
/// all rows at risk are counted by one.
///
/// # Errors
/// [`Error::Unsuitable`] where there is no sessions' table; [`Error::Unavailable`], [`Error::Timeout`].
pub async fn check(db: &Database, accepted: &Accepted) -> Result<SchemaHealth, Error> {
    let pending_migrations = migration::list_pending(db.pool()).await?;
    let moment = db.snapshot().await?;
    let graph = catalog::read(&moment, db.dialect(), db.schema()).await?;
    let facts = catalog_facts::read(&moment, db.dialect(), db.schema(), &graph).await?;
    let scene = Scene::new(db.dialect(), db.schema(), graph, facts, !pending_migrations.is_empty());
    let drafts = checks::all(&scene);
    let counts =
        row_counts::count(&moment, db.dialect(), drafts.iter().filter_map(|draft| draft.rows.as_deref())).await?;
    moment.rollback().await?;
    let findings = findings(drafts, &counts, accepted);
    Ok(SchemaHealth {
        healthy: !findings.iter().any(|finding| finding.severity == Severity::Error && !finding.accepted),
        findings,
        foreign_keys: foreign_keys(&scene),
        pending_migrations,
    })
}

/// Drafts with their counts, in the order in which they are shown.
fn findings(drafts: Vec<Draft>, counts: &BTreeMap<String, i64>, accepted: &Accepted) -> Vec<Finding> {
    let keys = distinct_keys(&drafts);
    let mut findings: Vec<Finding> = drafts
        .into_iter()
        .zip(keys)
        .filter_map(|(draft, key)| {
            let rows = draft.rows.as_ref().and_then(|count| counts.get(count)).copied();
            if draft.only_with_rows && rows.unwrap_or(0) == 0 {
                return None;
            }
            let mut message = draft.message;
            if rows.is_none() {
                message.push_str(" This role may not count the rows.");
            }
            Some(Finding {
                accepted: accepted.0.contains_key(&key),
                key,
                code: draft.code,
                severity: draft.severity,
                table: draft.table,
                constraint: draft.constraint,
                message,
                rows_at_risk: rows.unwrap_or(0),
                fixes: draft.fixes,
            })
        })
        .collect();
    findings.sort_by(|a, b| (a.severity, &a.key).cmp(&(b.severity, &b.key)));
    findings
}

/// A key per draft. Where two keys stand on the same columns, the constraint's name tells them apart.
fn distinct_keys(drafts: &[Draft]) -> Vec<String> {
    let plain: Vec<String> = drafts.iter().map(|draft| format!("{}:{}", draft.code, draft.subject)).collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for key in &plain {
        *seen.entry(key).or_default() += 1;
    }
    plain
        .iter()
        .zip(drafts)
        .map(|(key, draft)| match &draft.constraint {
            Some(constraint) if seen.get(key.as_str()).is_some_and(|times| *times > 1) => format!("{key}:{constraint}"),
            _ => key.clone(),
        })
        .collect()
}

fn foreign_keys(scene: &Scene) -> Vec<ForeignKeyState> {
    let mut states: Vec<ForeignKeyState> = scene
        .keys()
        .map(|key| ForeignKeyState {
            constraint: key.constraint.clone(),
            table: scene.table(key.table).display.clone(),
            columns: key.columns.clone(),
            referenced_table: scene.table(key.referenced).display.clone(),
            referenced_columns: key.referenced_columns.clone(),
            on_delete: key.on_delete,
            nullable: scene.take_null(key.table, &key.columns),
            indexed: key.indexed,
            validated: key.validated,
        })
        .collect();
    states.sort_by(|a, b| (&a.table, &a.columns, &a.constraint).cmp(&(&b.table, &b.columns, &b.constraint)));
    states
}
