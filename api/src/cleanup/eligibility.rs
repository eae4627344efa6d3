//! The next sessions of a run, as they are now: which may go, and why the others may not.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::criteria::Criteria;
use super::gateway_filter::Picked;
use super::model::{CleanupRequest, CleanupRun, SkippedSession};
use crate::db::Database;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::impact::{Blocker, Impact, deletable_together, of_each_session};
use crate::refusal::RefusalCode;
use crate::session::{Filter, queries};
use crate::wording::counted;

/// How many sessions are looked at together.
const TOGETHER: usize = 100;

/// On what terms sessions go.
pub(super) struct Terms<'a> {
    pub criteria: &'a Criteria,
    /// When the run was asked for.
    pub moment: DateTime<Utc>,
    pub allow_connected: bool,
    pub allow_pending_messages: bool,
}

impl<'a> Terms<'a> {
    /// Those of a run that begins now.
    pub fn now(db: &Database, request: &'a CleanupRequest) -> Self {
        let (allow_connected, allow_pending_messages) = (request.allow_connected, request.allow_pending_messages);
        let moment = db.settings().clock.now();
        Self { criteria: &request.criteria, moment, allow_connected, allow_pending_messages }
    }
}

impl CleanupRun {
    pub(super) const fn terms(&self) -> Terms<'_> {
        let (allow_connected, allow_pending_messages) = (self.allow_connected, self.allow_pending_messages);
        Terms { criteria: &self.criteria, moment: self.created_at, allow_connected, allow_pending_messages }
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
    terms: &Terms<'_>,
    ids: &[Uuid],
) -> Result<(Vec<Candidate>, Vec<SkippedSession>), Error> {
    let filter = Filter { ids: Some(ids.to_vec()), ..terms.criteria.filter(terms.moment)? };
    let met = queries::matching(db.pool(), db, &filter, None).await?;
    let mut impacts = of_each_session(db, ids).await?;
    let (mut fit, mut unfit) = (Vec::new(), Vec::new());
    for &id in ids {
        match impacts.remove(&id) {
            None => unfit.push(SkippedSession::not_found(id)),
            Some(impact) => match unfit_for(terms, &impact, met.contains(&id)) {
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
    terms: &Terms<'_>,
    ids: &[Uuid],
) -> Result<Picked, Error> {
    let (mut picked, mut all_deletable) = (Picked::default(), true);
    for ids in ids.chunks(TOGETHER) {
        let (fit, unfit) = look(db, terms, ids).await?;
        all_deletable &= fit.iter().all(|candidate| candidate.impact.deletable);
        picked.left.extend(unfit);
        let fit: Vec<Uuid> = fit.iter().map(|candidate| candidate.id).collect();
        picked.ask(gateway, &fit, terms.criteria, terms.allow_connected).await;
    }
    if !all_deletable {
        let together = deletable_together(db, &picked.taken).await?;
        picked.left.extend(together.blocked.iter().map(|(id, blockers)| blocked(*id, blockers)));
        picked.taken = together.deletable;
    }
    Ok(picked)
}

fn unfit_for(terms: &Terms<'_>, impact: &Impact, met: bool) -> Option<(RefusalCode, String)> {
    // Named before the criteria, which it mostly no longer meets either: this is what to do something about.
    if impact.connected_sessions > 0 && !terms.allow_connected {
        let message = "It is connected now. Disconnect it first, or set allowConnected.".to_owned();
        return Some((RefusalCode::SessionConnected, message));
    }
    if !met {
        return Some((RefusalCode::NoLongerMatches, "It no longer meets the criteria.".to_owned()));
    }
    if impact.pending_messages > 0 && !terms.allow_pending_messages {
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
