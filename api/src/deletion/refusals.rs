//! The refusals of deletions.

use uuid::Uuid;

use super::model::{DeletionOutcome, DeletionRequest};
use crate::error::DatabaseMessage;
use crate::gateway::GatewaySessionState;
use crate::impact::token::ExpectedImpact;
use crate::impact::{Blocker, BlockerKind, Impact, ImpactChange};
use crate::refusal::{Refusal, RefusalCode};
use crate::wording::{counted, pronoun};

/// Returns the refusal of ids that no session has.
pub(super) fn not_found(unknown: &[String]) -> Refusal {
    let message = format!("No session has the id {}. It may have been deleted already.", unknown.join(", "));
    Refusal::for_field("input.id", RefusalCode::NotFound, message)
}

/// Returns the refusal of a deletion, restore or erasure that could not get a lock in time.
pub(crate) fn lock_timeout(what: &str) -> Refusal {
    Refusal::without_field(
        RefusalCode::LockTimeout,
        format!("Another transaction holds rows or tables that the {what} needs. Nothing was changed; try again."),
    )
}

/// Returns the refusal of sessions that no longer meet the request's filter.
pub(super) fn no_longer_matching(ids: &[Uuid]) -> Refusal {
    let (has, meets) = if ids.len() == 1 { ("has", "meets") } else { ("have", "meet") };
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let message = format!(
        "{} {has} changed in the meantime and no longer {meets} the criteria. Nothing was deleted.",
        ids.join(", ")
    );
    Refusal::without_field(RefusalCode::NoLongerMatches, message)
}

/// Checks everything that can refuse a deletion before a row is deleted. Returns at most one refusal per code, and how
/// the impact differs from the expected one.
pub(super) fn check_preconditions(
    request: &DeletionRequest,
    expected: Option<&ExpectedImpact>,
    impact: &Impact,
    at_most: Option<i64>,
) -> (Vec<Refusal>, Vec<ImpactChange>) {
    let mut refusals = Vec::new();
    if impact.connected_sessions > 0 && !request.terms.allow_connected {
        let message = format!(
            "{} connected. Disconnect {} first, or set allowConnected.",
            counted(
                impact.connected_sessions,
                "session that would be deleted is",
                "sessions that would be deleted are"
            ),
            pronoun(impact.connected_sessions)
        );
        refusals.push(Refusal::for_field("input.allowConnected", RefusalCode::SessionConnected, message));
    }
    refusals.extend(gateway_disagrees(request));
    if impact.pending_messages > 0 && !request.terms.allow_pending_messages {
        refusals.push(pending(impact.pending_messages));
    }
    if !impact.deletable {
        refusals.push(blocked(&impact.blockers));
    }
    let (of_totals, changes) = check_totals(expected, impact, at_most);
    refusals.extend(of_totals);
    (refusals, changes)
}

/// Checks the impact as a whole: that it is the expected one, and not too large.
pub(crate) fn check_totals(
    expected: Option<&ExpectedImpact>,
    impact: &Impact,
    at_most: Option<i64>,
) -> (Vec<Refusal>, Vec<ImpactChange>) {
    let (mut refusals, mut changes) = (Vec::new(), Vec::new());
    if let Some(expected) = expected.filter(|expected| !expected.matches(impact)) {
        changes = expected.changes(impact);
        refusals.push(changed(&changes));
    }
    if let Some(at_most) = at_most.filter(|&at_most| impact.rows_deleted > at_most) {
        let message = format!(
            "{} would be deleted, which is more than atMost ({at_most}).",
            counted(impact.rows_deleted, "row", "rows")
        );
        refusals.push(Refusal::for_field("input.atMost", RefusalCode::TooManyRows, message));
    }
    (refusals, changes)
}

/// Returns the refusal of sessions that are connected according to the gateway.
fn gateway_disagrees(request: &DeletionRequest) -> Option<Refusal> {
    let connected = request.gateway.values().filter(|said| said.state == GatewaySessionState::Connected).count();
    if connected == 0 || request.terms.allow_connected {
        return None;
    }
    let connected = i64::try_from(connected).unwrap_or(i64::MAX);
    let message = format!(
        "According to the gateway, {} connected. Disconnect {} first, or set allowConnected.",
        counted(connected, "session that would be deleted is", "sessions that would be deleted are"),
        pronoun(connected)
    );
    Some(Refusal::for_field("input.allowConnected", RefusalCode::GatewayDisagrees, message))
}

/// Returns the refusal of a deletion that would delete so many messages still to be sent.
pub(super) fn pending(messages: i64) -> Refusal {
    let message = format!(
        "{} still to be sent would be deleted. Cancel or send {} first, or set allowPendingMessages.",
        counted(messages, "scheduled message", "scheduled messages"),
        pronoun(messages)
    );
    Refusal::for_field("input.allowPendingMessages", RefusalCode::PendingMessages, message)
}

/// Returns the outcome where the database refused for a reason that its foreign keys do not show.
pub(super) fn database_refused(mut impact: Impact, said: &DatabaseMessage) -> DeletionOutcome {
    impact.blockers.push(Blocker {
        kind: BlockerKind::Other,
        table: said.table.clone().unwrap_or_default(),
        constraint: said.constraint.clone(),
        columns: Vec::new(),
        rows: 0,
        message: format!("The database refused: {}.", said.message),
    });
    impact.deletable = false;
    let refusals = vec![blocked(&impact.blockers)];
    DeletionOutcome { impact: Some(impact), refusals, ..DeletionOutcome::default() }
}

/// Returns the outcome where the database refused at the commit, so that the deletion was not made.
pub(super) fn at_commit(outcome: DeletionOutcome, said: &DatabaseMessage) -> DeletionOutcome {
    tracing::info!(target: "session_admin::deletion", error = %said.source, "the database refused to commit a deletion");
    match outcome.impact {
        Some(impact) => database_refused(impact, said),
        None => DeletionOutcome::refused(vec![blocked(&[])]),
    }
}

/// Returns the outcome where the database did something else than the impact says, which was rolled back.
pub(super) fn impact_mismatch(impact: Impact, changes: Vec<ImpactChange>, unexplained: i64) -> DeletionOutcome {
    let message = if changes.is_empty() {
        format!(
            "The database also deleted or inserted {} that no foreign key explains, probably by a trigger. Nothing \
             was deleted.",
            counted(unexplained, "row", "rows")
        )
    } else {
        format!(
            "The changes of the database to {} differ from the impact. Nothing was deleted; preview again.",
            tables(&changes)
        )
    };
    let refusals = vec![Refusal::without_field(RefusalCode::ImpactChanged, message)];
    DeletionOutcome { impact: Some(impact), changes, refusals, ..DeletionOutcome::default() }
}

/// Returns the refusal of a deletion that has blockers.
pub(crate) fn blocked(blockers: &[Blocker]) -> Refusal {
    let messages: Vec<&str> = blockers.iter().map(|blocker| blocker.message.as_str()).collect();
    Refusal::without_field(RefusalCode::BlockedByForeignKey, messages.join(" "))
}

fn changed(changes: &[ImpactChange]) -> Refusal {
    let message = if changes.is_empty() {
        "The sessions or the foreign keys are not those of the preview. Preview again.".to_owned()
    } else {
        format!("The impact on {} has changed since the preview. Preview again.", tables(changes))
    };
    Refusal::for_field("input.expectedImpact", RefusalCode::ImpactChanged, message)
}

fn tables(changes: &[ImpactChange]) -> String {
    changes.iter().map(|change| change.table.as_str()).collect::<Vec<_>>().join(", ")
}
