//! Why a deletion is refused.

use uuid::Uuid;

use super::model::{DeletionOutcome, DeletionRequest};
use crate::error::Said;
use crate::gateway::GatewaySessionState;
use crate::impact::token::Looked;
use crate::impact::{Blocker, BlockerKind, Impact, ImpactChange};
use crate::refusal::{Refusal, RefusalCode};
pub(crate) use crate::wording::counted;

/// These ids are no session's.
pub(super) fn not_found(unknown: &[String]) -> Refusal {
    let message = format!("No session has the id {}. It may have been deleted already.", unknown.join(", "));
    Refusal::about("input.id", RefusalCode::NotFound, message)
}

/// Somebody else was first.
pub(crate) fn lock_timeout(what: &str) -> Refusal {
    Refusal::plain(
        RefusalCode::LockTimeout,
        format!("Another transaction holds rows or tables that the {what} needs. Nothing was changed; try again."),
    )
}

/// These sessions are no longer what they were picked for.
pub(super) fn no_longer_matching(ids: &[Uuid]) -> Refusal {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    let message = format!(
        "Somebody has changed {} meanwhile: no longer what was asked for. Nothing was deleted.",
        ids.join(", ")
    );
    Refusal::plain(RefusalCode::NoLongerMatches, message)
}

/// What stands against the deletion before anything is done: at most one refusal per code.
pub(super) fn before(
    request: &DeletionRequest,
    looked: Option<&Looked>,
    impact: &Impact,
    at_most: Option<i64>,
) -> (Vec<Refusal>, Vec<ImpactChange>) {
    let mut refusals = Vec::new();
    if impact.connected_sessions > 0 && !request.terms.allow_connected {
        let message = format!(
            "{} that would go {} connected now. Disconnect first, or set allowConnected.",
            counted(impact.connected_sessions, "session", "sessions"),
            if impact.connected_sessions == 1 { "is" } else { "are" }
        );
        refusals.push(Refusal::about("input.allowConnected", RefusalCode::SessionConnected, message));
    }
    refusals.extend(gateway_disagrees(request));
    if impact.pending_messages > 0 && !request.terms.allow_pending_messages {
        refusals.push(pending(impact.pending_messages));
    }
    if !impact.deletable {
        refusals.push(blocked(&impact.blockers));
    }
    let (whole, changes) = of_whole(looked, impact, at_most);
    refusals.extend(whole);
    (refusals, changes)
}

/// What stands against deleting all of it, whichever sessions it is: it is not what was looked at, or too much.
pub(crate) fn of_whole(
    looked: Option<&Looked>,
    impact: &Impact,
    at_most: Option<i64>,
) -> (Vec<Refusal>, Vec<ImpactChange>) {
    let (mut refusals, mut changes) = (Vec::new(), Vec::new());
    if let Some(looked) = looked.filter(|looked| !looked.is_still(impact)) {
        changes = looked.changes(impact);
        refusals.push(changed(&changes));
    }
    if let Some(at_most) = at_most.filter(|&at_most| impact.rows_deleted > at_most) {
        let message = format!(
            "{} would be deleted, which is more than atMost ({at_most}).",
            counted(impact.rows_deleted, "row", "rows")
        );
        refusals.push(Refusal::about("input.atMost", RefusalCode::TooManyRows, message));
    }
    (refusals, changes)
}

/// The gateway says of some of the sessions that they are connected.
fn gateway_disagrees(request: &DeletionRequest) -> Option<Refusal> {
    let connected = request.gateway.values().filter(|said| said.state == GatewaySessionState::Connected).count();
    if connected == 0 || request.terms.allow_connected {
        return None;
    }
    let message = format!(
        "The gateway says that {} that would go {} connected. Disconnect first, or set allowConnected.",
        counted(i64::try_from(connected).unwrap_or(i64::MAX), "session", "sessions"),
        if connected == 1 { "is" } else { "are" }
    );
    Some(Refusal::about("input.allowConnected", RefusalCode::GatewayDisagrees, message))
}

/// So many messages still to be sent would go.
pub(super) fn pending(messages: i64) -> Refusal {
    let message = format!(
        "{} still to be sent would go. Cancel or send first, or set allowPendingMessages.",
        counted(messages, "scheduled message", "scheduled messages")
    );
    Refusal::about("input.allowPendingMessages", RefusalCode::PendingMessages, message)
}

/// The database refused for a reason that its foreign keys did not show.
pub(super) fn by_database(mut impact: Impact, said: &Said) -> DeletionOutcome {
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

/// The database refused at the very end; the deletion that was recorded has not been made.
pub(super) fn at_commit(outcome: DeletionOutcome, said: &Said) -> DeletionOutcome {
    tracing::info!(error = %said.source, "the database refused to commit a deletion");
    match outcome.impact {
        Some(impact) => by_database(impact, said),
        None => DeletionOutcome::refused(vec![blocked(&[])]),
    }
}

/// The database did something else than was counted; it was rolled back.
pub(super) fn done_otherwise(impact: Impact, changes: Vec<ImpactChange>, unaccounted: i64) -> DeletionOutcome {
    let message = if changes.is_empty() {
        format!(
            "The database also deleted or put back {} that no foreign key accounts for: a trigger's doing. Nothing was deleted.",
            counted(unaccounted, "row", "rows")
        )
    } else {
        format!(
            "What the database did differs from the impact in {}. Nothing was deleted; look at the impact again.",
            tables(&changes)
        )
    };
    let refusals = vec![Refusal::plain(RefusalCode::ImpactChanged, message)];
    DeletionOutcome { impact: Some(impact), changes, refusals, ..DeletionOutcome::default() }
}

/// The database would refuse.
pub(crate) fn blocked(blockers: &[Blocker]) -> Refusal {
    let messages: Vec<&str> = blockers.iter().map(|blocker| blocker.message.as_str()).collect();
    Refusal::plain(RefusalCode::BlockedByForeignKey, messages.join(" "))
}

fn changed(changes: &[ImpactChange]) -> Refusal {
    let message = if changes.is_empty() {
        "The sessions or the foreign keys are not those of the impact that was looked at. Look at the impact again."
            .to_owned()
    } else {
        format!("The impact has changed in {} since it was looked at. Look at it again.", tables(changes))
    };
    Refusal::about("input.expectedImpact", RefusalCode::ImpactChanged, message)
}

fn tables(changes: &[ImpactChange]) -> String {
    changes.iter().map(|change| change.table.as_str()).collect::<Vec<_>>().join(", ")
}
