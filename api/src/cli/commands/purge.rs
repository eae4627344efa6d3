//! The purge of stale sessions that `migrate` makes once, as a recorded deletion.

use crate::cli::os_user::principal;
use crate::cli::output::Output;
use crate::cli::purge_plan::{PurgePlan, SparedSession, StaleSessions, purge_filter, replan_purge};
use crate::cli::{prompt, render};
use crate::db::Database;
use crate::deletion::{self, DeletionOutcome, DeletionRequest, DeletionTerms};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::impact::Impact;
use crate::refusal::RefusalCode;

/// The outcome of a purge.
pub(super) enum PurgeOutcome {
    /// No session is stale.
    NothingStale,
    Done(DeletionOutcome),
    /// The deletion was refused; the purge stays pending.
    Refused(DeletionOutcome),
    /// The operator answered no; the purge stays pending.
    Declined,
}

/// Purges the previewed sessions that are still stale. Returns the outcome and the spared sessions.
///
/// If the repaired foreign keys change the impact, it is shown again, and confirmed again unless `yes`.
pub(super) async fn purge_stale(
    db: &Database,
    gateway: Option<&Gateway>,
    previewed: &StaleSessions,
    yes: bool,
    output: Output,
) -> Result<(PurgeOutcome, Vec<SparedSession>), Error> {
    let StaleSessions { plan, spared } = replan_purge(db, gateway, previewed).await?;
    if spared != previewed.spared && !spared.is_empty() {
        output.text(render::spared(&spared));
    }
    let outcome = match plan {
        Some(plan) => purge(db, gateway, previewed.plan.as_ref(), plan, yes, output).await?,
        None => PurgeOutcome::NothingStale,
    };
    Ok((outcome, spared))
}

async fn purge(
    db: &Database,
    gateway: Option<&Gateway>,
    previewed: Option<&PurgePlan>,
    plan: PurgePlan,
    yes: bool,
    output: Output,
) -> Result<PurgeOutcome, Error> {
    if previewed.is_none_or(|previewed| row_counts(&previewed.impact) != row_counts(&plan.impact)) {
        output.text("\nWith the foreign keys mended, the purge takes:\n");
        output.text(render::impact(&plan.impact));
        if !yes && !prompt::confirm("Purge these sessions?")? {
            return Ok(PurgeOutcome::Declined);
        }
    }
    let request = DeletionRequest {
        session_ids: plan.ids,
        terms: DeletionTerms {
            expected_impact: Some(plan.impact.token),
            reason: Some("purge of stale sessions by migrate".to_owned()),
            ..DeletionTerms::default()
        },
        must_meet: Some(purge_filter(db)),
        principal: principal(),
        ..DeletionRequest::default()
    };
    let outcome = deletion::delete(db, &request.with_gateway_states(gateway).await).await?;
    Ok(if outcome.refusals.is_empty() { PurgeOutcome::Done(outcome) } else { PurgeOutcome::Refused(outcome) })
}

/// Returns the rows deleted and unlinked per table.
fn row_counts(impact: &Impact) -> Vec<(&str, i64, i64)> {
    impact.tables.iter().map(|table| (table.table.as_str(), table.rows_deleted, table.rows_unlinked)).collect()
}

/// Returns what the operator can do after a refused purge.
pub(super) fn advice(outcome: &DeletionOutcome) -> &'static str {
    if outcome.refusals.iter().any(|refusal| refusal.code == RefusalCode::BlockedByForeignKey) {
        "`session-admin doctor` says how to mend what blocks it; then run migrate again."
    } else {
        "Run `session-admin migrate` again: it goes on with the purge."
    }
}
