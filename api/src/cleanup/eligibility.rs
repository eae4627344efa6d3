//! Which sessions a run may delete now, and why it skips the others.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::criteria::Criteria;
use super::gateway_filter::Selection;
use super::model::{CleanupRequest, CleanupRun, SkippedSession};
use crate::db::Database;
use crate::deletion::DeletionTerms;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::impact::{Blocker, Impact, impact_of_each, largest_deletable_set};
use crate::refusal::RefusalCode;
use crate::session::{SessionFilter, queries};
use crate::wording::{counted, pronoun};

/// The sessions that are checked together.
const SESSIONS_PER_CHECK: usize = 100;

/// The rules by which a run selects the sessions that it deletes.
pub(super) struct EligibilityRules<'a> {
    pub criteria: &'a Criteria,
    /// The time at which the run was requested, from which ages count.
    pub moment: DateTime<Utc>,
    pub terms: &'a DeletionTerms,
}

impl<'a> EligibilityRules<'a> {
    /// Returns the rules of a run that is requested now.
    pub fn for_request(db: &Database, request: &'a CleanupRequest) -> Self {
        Self { criteria: &request.criteria, moment: db.settings().clock.now(), terms: &request.terms }
    }
}

impl CleanupRun {
    /// Returns the rules of the run.
    pub(super) const fn rules(&self) -> EligibilityRules<'_> {
        EligibilityRules { criteria: &self.criteria, moment: self.created_at, terms: &self.terms }
    }
}

/// A session that may be deleted, with the impact of deleting it by itself.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub id: Uuid,
    pub impact: Impact,
}

impl Candidate {
    /// Returns the number of rows that its deletion deletes or unlinks.
    pub fn rows_changed(&self) -> i64 {
        self.impact.rows_deleted.saturating_add(self.impact.rows_unlinked)
    }
}

/// Checks sessions: returns those that may be deleted, in the order given, and those that are skipped. Nothing is
/// locked; the deletion itself checks again.
pub(super) async fn check_eligibility(
    db: &Database,
    rules: &EligibilityRules<'_>,
    ids: &[Uuid],
) -> Result<(Vec<Candidate>, Vec<SkippedSession>), Error> {
    let filter = SessionFilter { ids: Some(ids.to_vec()), ..rules.criteria.filter(rules.moment)? };
    let matching = queries::find_matching_ids(db.pool(), db, &filter, None).await?;
    let mut impacts = impact_of_each(db, ids).await?;
    let (mut candidates, mut skipped) = (Vec::new(), Vec::new());
    for &id in ids {
        match impacts.remove(&id) {
            None => skipped.push(SkippedSession::not_found(id)),
            Some(impact) => match skip_reason(rules, &impact, matching.contains(&id)) {
                Some((code, message)) => skipped.push(SkippedSession::new(id, code, message)),
                None => candidates.push(Candidate { id, impact }),
            },
        }
    }
    Ok((candidates, skipped))
}

/// Divides sessions into those that a run by these rules would delete and those that it would skip. Nothing is locked.
pub(super) async fn partition(
    db: &Database,
    gateway: Option<&Gateway>,
    rules: &EligibilityRules<'_>,
    ids: &[Uuid],
) -> Result<Selection, Error> {
    let (mut selection, mut all_deletable) = (Selection::default(), true);
    for ids in ids.chunks(SESSIONS_PER_CHECK) {
        let (candidates, skipped) = check_eligibility(db, rules, ids).await?;
        all_deletable &= candidates.iter().all(|candidate| candidate.impact.deletable);
        selection.skipped.extend(skipped);
        let ids: Vec<Uuid> = candidates.iter().map(|candidate| candidate.id).collect();
        selection.add(gateway, &ids, rules.criteria, rules.terms.allow_connected).await;
    }
    if !all_deletable {
        let set = largest_deletable_set(db, &selection.selected).await?;
        selection.skipped.extend(set.blocked.iter().map(|(id, blockers)| blocked(*id, blockers)));
        selection.selected = set.deletable;
    }
    Ok(selection)
}

fn skip_reason(rules: &EligibilityRules<'_>, impact: &Impact, matches: bool) -> Option<(RefusalCode, String)> {
    // A connected session mostly does not meet the criteria either. This reason comes first, since the operator can act
    // on it.
    if impact.connected_sessions > 0 && !rules.terms.allow_connected {
        let message = "The session is connected. Disconnect it first, or set allowConnected.".to_owned();
        return Some((RefusalCode::SessionConnected, message));
    }
    if !matches {
        return Some((RefusalCode::NoLongerMatches, "The session no longer meets the criteria.".to_owned()));
    }
    if impact.pending_messages > 0 && !rules.terms.allow_pending_messages {
        let messages = counted(impact.pending_messages, "scheduled message", "scheduled messages");
        let message = format!(
            "{messages} still to be sent would be deleted. Cancel or send {} first, or set allowPendingMessages.",
            pronoun(impact.pending_messages)
        );
        return Some((RefusalCode::PendingMessages, message));
    }
    None
}

/// Returns the entry of a session that rows of other sessions block.
pub(super) fn blocked(id: Uuid, blockers: &[Blocker]) -> SkippedSession {
    let messages: Vec<&str> = blockers.iter().map(|blocker| blocker.message.as_str()).collect();
    SkippedSession::new(id, RefusalCode::BlockedByForeignKey, messages.join(" "))
}
