//! The purge of stale sessions, which `migrate` performs once, as a recorded deletion.

use crate::cli::os_user::current_principal;
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
    /// There is no stale session to purge.
    NothingStale,
    /// The sessions were deleted.
    Done(DeletionOutcome),
    /// The deletion was refused; the purge stays pending.
    Refused(DeletionOutcome),
    /// The operator answered no; the purge stays pending.
    Declined,
}

/// Purges the previewed sessions that are still stale. Returns the outcome and the spared sessions.
///
/// If the repaired foreign keys changed the impact, it is printed again and, unless `yes` is set, has to be confirmed
/// again.
pub(super) async fn purge_stale(
    db: &Database,
    gateway: Option<&Gateway>,
    previewed: &StaleSessions,
    yes: bool,
    output: Output,
) -> Result<(PurgeOutcome, Vec<SparedSession>), Error> {
    let StaleSessions { plan, spared } = replan_purge(db, gateway, previewed).await?;
    if spared != previewed.spared && !spared.is_empty() {
        output.print_text(render::spared_sessions(&spared));
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
        output.print_text("\nWith the repaired foreign keys, the purge has this impact:\n");
        output.print_text(render::impact(&plan.impact));
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
        principal: current_principal(),
        ..DeletionRequest::default()
    };
    let outcome = deletion::delete(db, &request.with_gateway_states(gateway).await).await?;
    Ok(if outcome.refusals.is_empty() { PurgeOutcome::Done(outcome) } else { PurgeOutcome::Refused(outcome) })
}

/// Returns the numbers of deleted and unlinked rows per table.
fn row_counts(impact: &Impact) -> Vec<(&str, i64, i64)> {
    impact.tables.iter().map(|table| (table.table.as_str(), table.rows_deleted, table.rows_unlinked)).collect()
}

/// Returns the instruction to print after a refused purge.
pub(super) fn advice(outcome: &DeletionOutcome) -> &'static str {
    if outcome.refusals.iter().any(|refusal| refusal.code == RefusalCode::BlockedByForeignKey) {
        "`session-admin doctor` shows how to repair what blocks it. Then run `session-admin migrate` again."
    } else {
        "Run `session-admin migrate` again: it tries the purge again."
    }
}
