//! What a cleanup is requested with, what comes of it, and its run.

use chrono::{DateTime, Utc};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::criteria::Criteria;
use crate::deletion::DeletionTerms;
use crate::error::Error;
use crate::impact::{Impact, ImpactChange};
use crate::refusal::{Refusal, RefusalCode};

/// A request to delete the sessions that meet criteria.
#[derive(Debug, Clone, Default)]
pub struct CleanupRequest {
    /// Which sessions to delete.
    pub criteria: Criteria,
    /// Whether only the effects of a run are returned, and none is created.
    pub dry_run: bool,
    /// What the caller expects and allows.
    pub terms: DeletionTerms,
    /// The name of the principal that makes the request, for the audit record and the idempotency key.
    pub principal: String,
}

/// What came of it: a run, or refusals; on a dry run what a run would do, and what would refuse all of it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanupOutcome {
    /// The run; none on a dry run or a refusal.
    pub run: Option<CleanupRun>,
    /// What deleting every matching session would do, or would have done when the run was started.
    pub impact: Option<Impact>,
    /// On a dry run: what deleting those of them does that would go.
    pub would_go: Option<Impact>,
    /// On a dry run: those that would stay, each with the reason.
    pub skipped: Vec<SkippedSession>,
    /// Where it differs from what was looked at.
    pub changes: Vec<ImpactChange>,
    /// Why there is no run.
    pub refusals: Vec<Refusal>,
    /// Whether the run was started before, under the same key.
    pub repeated: bool,
}

/// A session that a run leaves, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedSession {
    /// Its id.
    #[serde(rename = "id")]
    pub session_id: Uuid,
    /// The stable code.
    pub code: RefusalCode,
    /// What is the matter and what to do next.
    pub message: String,
}

impl SkippedSession {
    pub(super) fn new(session_id: Uuid, code: RefusalCode, message: impl Into<String>) -> Self {
        Self { session_id, code, message: message.into() }
    }

    /// Returns the entry of a session that no longer exists, or never did.
    pub(super) fn not_found(session_id: Uuid) -> Self {
        Self::new(session_id, RefusalCode::NotFound, "No session has this id. It may have been deleted already.")
    }
}

/// What came of it: the run, or why there is none.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunOutcome {
    /// The run.
    pub run: Option<CleanupRun>,
    /// Why nothing was changed.
    pub refusals: Vec<Refusal>,
}

/// One execution of a cleanup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanupRun {
    /// Its id.
    pub id: Uuid,
    /// What it does.
    pub kind: RunKind,
    /// How far it is.
    pub status: RunStatus,
    /// What was asked for.
    pub criteria: Criteria,
    /// The sessions on its list.
    pub sessions_total: i64,
    /// Those that are gone.
    pub sessions_deleted: i64,
    /// Those that stay. A finished run has no others.
    pub sessions_skipped: i64,
    /// Rows deleted so far, over all tables.
    pub rows_deleted: i64,
    /// Rows unlinked so far, over all tables.
    pub rows_unlinked: i64,
    /// The run whose deletions it restores.
    pub restores: Option<Uuid>,
    /// Sessions that are back.
    pub sessions_restored: i64,
    /// Rows put back so far, over all tables.
    pub rows_restored: i64,
    /// The terms of the request that created it, without the expected impact and the idempotency key, which were used then.
    /// A run that restores may restore overdue messages where the terms allow pending ones.
    pub terms: DeletionTerms,
    /// Who asked for it.
    pub started_by: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the first session was looked at.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who stopped it.
    pub cancelled_by: Option<String>,
    /// The worker that holds it.
    pub(super) leased_by: Option<String>,
    /// Until when it is that worker's; where nobody holds it, the moment before which it is not tried again.
    pub(super) leased_until: Option<DateTime<Utc>>,
    /// How often it was begun with since it last came further.
    pub(super) attempts: i32,
}

impl Serialize for CleanupRun {
    /// Serializes the run as documented: the terms are fields of the run, and the lease is left out.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut run = serializer.serialize_struct("CleanupRun", 23)?;
        run.serialize_field("id", &self.id)?;
        run.serialize_field("kind", &self.kind)?;
        run.serialize_field("status", &self.status)?;
        run.serialize_field("criteria", &self.criteria)?;
        run.serialize_field("sessionsTotal", &self.sessions_total)?;
        run.serialize_field("sessionsDeleted", &self.sessions_deleted)?;
        run.serialize_field("sessionsSkipped", &self.sessions_skipped)?;
        run.serialize_field("rowsDeleted", &self.rows_deleted)?;
        run.serialize_field("rowsUnlinked", &self.rows_unlinked)?;
        run.serialize_field("restores", &self.restores)?;
        run.serialize_field("sessionsRestored", &self.sessions_restored)?;
        run.serialize_field("rowsRestored", &self.rows_restored)?;
        run.serialize_field("atMost", &self.terms.at_most)?;
        run.serialize_field("allowConnected", &self.terms.allow_connected)?;
        run.serialize_field("allowPendingMessages", &self.terms.allow_pending_messages)?;
        run.serialize_field("archive", &self.terms.archive)?;
        run.serialize_field("startedBy", &self.started_by)?;
        run.serialize_field("reason", &self.terms.reason)?;
        run.serialize_field("createdAt", &self.created_at)?;
        run.serialize_field("startedAt", &self.started_at)?;
        run.serialize_field("finishedAt", &self.finished_at)?;
        run.serialize_field("error", &self.error)?;
        run.serialize_field("cancelledBy", &self.cancelled_by)?;
        run.end()
    }
}

impl CleanupRun {
    /// The sessions whose turn has not come.
    #[must_use]
    pub const fn sessions_to_go(&self) -> i64 {
        self.sessions_total - self.sessions_deleted - self.sessions_restored - self.sessions_skipped
    }

    /// Whether only a worker with a gateway can work on it.
    #[must_use]
    pub fn wants_gateway(&self) -> bool {
        self.kind == RunKind::Delete && self.criteria.missing_from_gateway
    }

    /// From when on a worker may take it, where that is still to come.
    #[must_use]
    pub fn free_from(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.leased_until.filter(|until| *until > now)
    }

    /// Whether a worker has it, be it alive or not; else it rests after an error until it is free.
    #[must_use]
    pub const fn is_leased(&self) -> bool {
        self.leased_by.is_some()
    }

    /// Whether a worker may take it now.
    #[must_use]
    pub fn is_free(&self, now: DateTime<Utc>) -> bool {
        !self.status.has_finished() && self.free_from(now).is_none()
    }
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunKind {
    /// It deletes sessions.
    Delete,
    /// It puts back what another run deleted.
    Restore,
}

impl RunKind {
    pub(super) fn of_row(word: &str) -> Result<Self, Error> {
        match word {
            "DELETE" => Ok(Self::Delete),
            "RESTORE" => Ok(Self::Restore),
            _ => {
                Err(Error::Unsuitable(format!("A cleanup run has the kind {word}, which this version does not know.")))
            }
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunStatus {
    /// Nobody has begun with it.
    Queued,
    /// It is under way, or waits for a worker that goes on with it.
    Running,
    /// It came to its end.
    Succeeded,
    /// It stopped, or the database refused every session that it tried.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl RunStatus {
    /// Those of which nothing more happens.
    pub(super) const FINISHED: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Cancelled];

    /// Whether nothing more happens.
    #[must_use]
    pub fn has_finished(self) -> bool {
        Self::FINISHED.contains(&self)
    }

    pub(super) fn of_row(word: &str) -> Result<Self, Error> {
        match word {
            "QUEUED" => Ok(Self::Queued),
            "RUNNING" => Ok(Self::Running),
            "SUCCEEDED" => Ok(Self::Succeeded),
            "FAILED" => Ok(Self::Failed),
            "CANCELLED" => Ok(Self::Cancelled),
            _ => Err(Error::Unsuitable(format!(
                "A cleanup run has the status {word}, which this version does not know."
            ))),
        }
    }
}
