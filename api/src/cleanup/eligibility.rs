//! The next sessions of a run, as they are now: which may go, and why the others may not.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::criteria::Criteria;
use super::gateway_filter::Picked;
use super::model::{CleanupRequest, CleanupRun, SkippedSession};
use crate::db::Database;
use crate::deletion::DeletionTerms;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::impact::{Blocker, Impact, deletable_together, of_each_session};
use crate::refusal::RefusalCode;
use crate::session::{Filter, queries};
use crate::wording::counted;

/// How many sessions are looked at together.
const TOGETHER: usize = 100;

/// The rules by which a run selects the sessions that it deletes.
pub(super) struct EligibilityRules<'a> {
    pub criteria: &'a Criteria,
    /// The time at which the run was requested, from which ages count.
    pub moment: DateTime<Utc>,
    pub terms: &'a DeletionTerms,
}

impl<'a> EligibilityRules<'a> {
    /// Returns the rules of a run that is requested now.
    pub fn now(db: &Database, request: &'a CleanupRequest) -> Self {
        Self { criteria: &request.criteria, moment: db.settings().clock.now(), terms: &request.terms }
    }
}

impl CleanupRun {
    /// Returns the rules of the run.
    pub(super) const fn rules(&self) -> EligibilityRules<'_> {
        EligibilityRules { criteria: &self.criteria, moment: self.created_at, terms: &self.terms }
    }
}

/// A session whose turn it is, with what its deletion does by itself.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub id: Uuid,
    pub impact: Impact,
}

impl Candidate {
    /// The rows that its deletion changes.
    pub fn touches(&self) -> i64 {
        self.impact.rows_deleted.saturating_add(self.impact.rows_unlinked)
    }
}

/// Looks at sessions: those that may go, in the order given, and those that may not. Nothing is locked: what changes
/// until they are deleted is found out then.
pub(super) async fn look(
    db: &Database,
    rules: &EligibilityRules<'_>,
    ids: &[Uuid],
) -> Result<(Vec<Candidate>, Vec<SkippedSession>), Error> {
    let filter = Filter { ids: Some(ids.to_vec()), ..rules.criteria.filter(rules.moment)? };
    let met = queries::matching(db.pool(), db, &filter, None).await?;
    let mut impacts = of_each_session(db, ids).await?;
    let (mut fit, mut unfit) = (Vec::new(), Vec::new());
    for &id in ids {
        match impacts.remove(&id) {
            None => unfit.push(SkippedSession::not_found(id)),
            Some(impact) => match unfit_for(rules, &impact, met.contains(&id)) {
                Some((code, message)) => unfit.push(SkippedSession::new(id, code, message)),
                None => fit.push(Candidate { id, impact }),
            },
        }
    }
    Ok((fit, unfit))
}

/// What a run on these terms would take of these sessions, and what it would skip. Nothing is locked here either.
pub(super) async fn sort_out(
    db: &Database,
    gateway: Option<&Gateway>,
    rules: &EligibilityRules<'_>,
    ids: &[Uuid],
) -> Result<Picked, Error> {
    let (mut picked, mut all_deletable) = (Picked::default(), true);
    for ids in ids.chunks(TOGETHER) {
        let (fit, unfit) = look(db, rules, ids).await?;
        all_deletable &= fit.iter().all(|candidate| candidate.impact.deletable);
        picked.left.extend(unfit);
        let fit: Vec<Uuid> = fit.iter().map(|candidate| candidate.id).collect();
        picked.ask(gateway, &fit, rules.criteria, rules.terms.allow_connected).await;
    }
    if !all_deletable {
        let together = deletable_together(db, &picked.taken).await?;
        picked.left.extend(together.blocked.iter().map(|(id, blockers)| blocked(*id, blockers)));
        picked.taken = together.deletable;
    }
    Ok(picked)
}

fn unfit_for(rules: &EligibilityRules<'_>, impact: &Impact, met: bool) -> Option<(RefusalCode, String)> {
    // Named before the criteria, which it mostly no longer meets either: this is what to do something about.
    if impact.connected_sessions > 0 && !rules.terms.allow_connected {
        let message = "It is connected now. Disconnect it first, or set allowConnected.".to_owned();
        return Some((RefusalCode::SessionConnected, message));
    }
    if !met {
        return Some((RefusalCode::NoLongerMatches, "It no longer meets the criteria.".to_owned()));
    }
    if impact.pending_messages > 0 && !rules.terms.allow_pending_messages {
        let messages = counted(impact.pending_messages, "scheduled message", "scheduled messages");
        let message =
            format!("{messages} still to be sent would go. Cancel or send first, or set allowPendingMessages.");
        return Some((RefusalCode::PendingMessages, message));
    }
    None
}

/// A session that others' rows block.
pub(super) fn blocked(id: Uuid, blockers: &[Blocker]) -> SkippedSession {
    let messages: Vec<&str> = blockers.iter().map(|blocker| blocker.message.as_str()).collect();
    SkippedSession::new(id, RefusalCode::BlockedByForeignKey, messages.join(" "))
}
