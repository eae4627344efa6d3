//! Running the checks and counting the rows at risk.

use std::collections::BTreeMap;

use super::check_context::CheckContext;
use super::finding_draft::FindingDraft;
use super::model::{AcceptedFindings, Finding, ForeignKeyState, SchemaHealth, Severity};
use super::{catalog_facts, checks, row_counts};
use crate::catalog;
use crate::db::Database;
use crate::error::Error;

/// Diagnoses the database.
///
/// The number of statements depends neither on the number of tables nor on that of findings. One statement counts all
/// rows at risk.
///
/// # Errors
/// [`Error::IncompatibleDatabase`] if there is no sessions' table; [`Error::Unavailable`], [`Error::Timeout`].
pub async fn diagnose(db: &Database, accepted: &AcceptedFindings) -> Result<SchemaHealth, Error> {
    let pending_migrations = migration::list_pending(db.pool()).await?;
    let snapshot = db.snapshot().await?;
    let graph = catalog::load_graph(&snapshot, db.dialect(), db.schema()).await?;
    let facts = catalog_facts::load(&snapshot, db.dialect(), db.schema(), &graph).await?;
    let context = CheckContext::new(db.dialect(), db.schema(), graph, facts, !pending_migrations.is_empty());
    let drafts = checks::run_all(&context);
    let counts =
        row_counts::count(&snapshot, db.dialect(), drafts.iter().filter_map(|draft| draft.rows.as_deref())).await?;
    snapshot.rollback().await?;
    let findings = findings(drafts, &counts, accepted);
    Ok(SchemaHealth {
        healthy: !findings.iter().any(|finding| finding.severity == Severity::Error && !finding.accepted),
        findings,
        foreign_keys: foreign_keys(&context),
        pending_migrations,
    })
}

/// Returns the findings with their counts, in the order of output.
fn findings(drafts: Vec<FindingDraft>, counts: &BTreeMap<String, i64>, accepted: &AcceptedFindings) -> Vec<Finding> {
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
    findings.sort_by(|one, other| (one.severity, &one.key).cmp(&(other.severity, &other.key)));
    findings
}

/// Returns a key for each draft. If two foreign keys have the same columns, the constraint's name distinguishes them.
fn distinct_keys(drafts: &[FindingDraft]) -> Vec<String> {
    let keys: Vec<String> = drafts.iter().map(|draft| format!("{}:{}", draft.code, draft.subject)).collect();
    let mut occurrences: BTreeMap<&str, usize> = BTreeMap::new();
    for key in &keys {
        *occurrences.entry(key).or_default() += 1;
    }
    keys.iter()
        .zip(drafts)
        .map(|(key, draft)| match &draft.constraint {
            Some(constraint) if occurrences.get(key.as_str()).is_some_and(|count| *count > 1) => {
                format!("{key}:{constraint}")
            }
            _ => key.clone(),
        })
        .collect()
}

fn foreign_keys(context: &CheckContext) -> Vec<ForeignKeyState> {
    let mut states: Vec<ForeignKeyState> = context
        .keys()
        .map(|key| ForeignKeyState {
            constraint: key.constraint.clone(),
            table: context.table(key.table).display.clone(),
            columns: key.columns.clone(),
            referenced_table: context.table(key.referenced).display.clone(),
            referenced_columns: key.referenced_columns.clone(),
            on_delete: key.on_delete,
            nullable: context.all_nullable(key.table, &key.columns),
            indexed: key.indexed,
            validated: key.validated,
        })
        .collect();
    states.sort_by(|one, other| {
        (&one.table, &one.columns, &one.constraint).cmp(&(&other.table, &other.columns, &other.constraint))
    });
    states
}
