//! The next sessions of a run, as they are now: which may go, and why the others may not.

use uuid::Uuid;

use super::start::NOT_FOUND;
use super::{CleanupRun, SkippedSession};
use crate::db::Database;
use crate::deletion::refuse::counted;
use crate::error::Error;
use crate::impact::{Blocker, Impact, of_each_session};
use crate::refusal::RefusalCode;
use crate::session::{Filter, read};

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
    run: &CleanupRun,
    ids: &[Uuid],
) -> Result<(Vec<Candidate>, Vec<SkippedSession>), Error> {
    let filter = Filter { ids: Some(ids.to_vec()), ..run.criteria.filter(run.created_at)? };
    let met = read::matching(db.pool(), db, &filter, None).await?;
    let mut impacts = of_each_session(db, ids).await?;
    let (mut fit, mut unfit) = (Vec::new(), Vec::new());
    for &id in ids {
        match impacts.remove(&id) {
            None => unfit.push(SkippedSession::new(id, RefusalCode::NotFound, NOT_FOUND)),
            Some(impact) => match unfit_for(run, &impact, met.contains(&id)) {
                Some((code, message)) => unfit.push(SkippedSession::new(id, code, message)),
                None => fit.push(Candidate { id, impact }),
            },
        }
    }
    Ok((fit, unfit))
}

fn unfit_for(run: &CleanupRun, impact: &Impact, met: bool) -> Option<(RefusalCode, String)> {
    // Named before the criteria, which it mostly no longer meets either: this is what to do something about.
    if impact.connected_sessions > 0 && !run.allow_connected {
        let message = "It is connected now. Disconnect it first, or set allowConnected.".to_owned();
        return Some((RefusalCode::SessionConnected, message));
    }
    if !met {
        return Some((RefusalCode::NoLongerMatches, "It no longer meets the criteria.".to_owned()));
    }
    if impact.pending_messages > 0 && !run.allow_pending_messages {
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
