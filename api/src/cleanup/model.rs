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

/// The outcome of a cleanup request: a run, or refusals; of a dry run, what a run would do and what would refuse it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanupOutcome {
    /// The run; none for a dry run or a refusal.
    pub run: Option<CleanupRun>,
    /// The impact of deleting every matching session, at the time of the request.
    pub impact: Option<Impact>,
    /// For a dry run, the impact of deleting the sessions that a run would not skip.
    pub would_go: Option<Impact>,
    /// For a dry run, the sessions that a run would skip, each with the reason.
    pub skipped: Vec<SkippedSession>,
    /// How the impact differs from the expected one.
    pub changes: Vec<ImpactChange>,
    /// Why there is no run.
    pub refusals: Vec<Refusal>,
    /// Whether the run was created by an earlier request under the same idempotency key.
    pub repeated: bool,
}

/// A session that a run skips, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedSession {
    /// The session's id.
    #[serde(rename = "id")]
    pub session_id: Uuid,
    /// The stable code.
    pub code: RefusalCode,
    /// The cause and what to do about it.
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

/// The outcome of a request about a run: the run, or refusals.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RunOutcome {
    /// The run; none for a refusal.
    pub run: Option<CleanupRun>,
    /// Why nothing was changed.
    pub refusals: Vec<Refusal>,
}

/// One execution of a cleanup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanupRun {
    /// The run's id.
    pub id: Uuid,
    /// What it does.
    pub kind: RunKind,
    /// Its status.
    pub status: RunStatus,
    /// The criteria of its sessions.
    pub criteria: Criteria,
    /// The sessions on its list.
    pub sessions_total: i64,
    /// Sessions deleted so far.
    pub sessions_deleted: i64,
    /// Sessions skipped so far. A finished run has no pending sessions.
    pub sessions_skipped: i64,
    /// Rows deleted so far, over all tables.
    pub rows_deleted: i64,
    /// Rows unlinked so far, over all tables.
    pub rows_unlinked: i64,
    /// The run whose deletions it restores.
    pub restores: Option<Uuid>,
    /// Sessions restored so far.
    pub sessions_restored: i64,
    /// Rows restored so far, over all tables.
    pub rows_restored: i64,
    /// The terms of the request that created it, without the expected impact and the idempotency key, which were used
    /// then. A run that restores may restore overdue messages where the terms allow pending ones.
    pub terms: DeletionTerms,
    /// The name of the principal that requested it.
    pub started_by: String,
    /// The time at which it was requested.
    pub created_at: DateTime<Utc>,
    /// The time at which a worker took it first.
    pub started_at: Option<DateTime<Utc>>,
    /// The time at which it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<String>,
    /// The name of the principal that cancelled it.
    pub cancelled_by: Option<String>,
    /// The name of the lease that a worker has on it.
    pub(super) leased_by: Option<String>,
    /// The end of the lease; without a lease, the time until which the run is paused.
    pub(super) leased_until: Option<DateTime<Utc>>,
    /// How often a worker took it since it last made progress.
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
    /// Returns the number of pending sessions.
    #[must_use]
    pub const fn sessions_to_go(&self) -> i64 {
        self.sessions_total - self.sessions_deleted - self.sessions_restored - self.sessions_skipped
    }

    /// Whether only a worker with a gateway can execute it.
    #[must_use]
    pub fn requires_gateway(&self) -> bool {
        self.kind == RunKind::Delete && self.criteria.missing_from_gateway
    }

    /// Returns the time from which a worker may take it; none where that is now.
    #[must_use]
    pub fn free_from(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.leased_until.filter(|until| *until > now)
    }

    /// Whether a worker has a lease on it, which may have ended. A run that is not free and not leased is paused after
    /// an error.
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
    /// It restores what another run deleted.
    Restore,
}

impl RunKind {
    pub(super) fn from_name(word: &str) -> Result<Self, Error> {
        match word {
            "DELETE" => Ok(Self::Delete),
            "RESTORE" => Ok(Self::Restore),
            _ => Err(Error::IncompatibleDatabase(format!(
                "A cleanup run has the kind {word}, which this version does not know."
            ))),
        }
    }
}

/// The status of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunStatus {
    /// No worker has started it yet.
    Queued,
    /// It is under way, or waits for a worker that continues it.
    Running,
    /// It has processed all its sessions.
    Succeeded,
    /// It ended early, or the database refused every session.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl RunStatus {
    /// The statuses of finished runs.
    pub(super) const FINISHED: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Cancelled];

    /// Whether the run has finished.
    #[must_use]
    pub fn has_finished(self) -> bool {
        Self::FINISHED.contains(&self)
    }

    pub(super) fn from_name(word: &str) -> Result<Self, Error> {
        match word {
            "QUEUED" => Ok(Self::Queued),
            "RUNNING" => Ok(Self::Running),
            "SUCCEEDED" => Ok(Self::Succeeded),
            "FAILED" => Ok(Self::Failed),
            "CANCELLED" => Ok(Self::Cancelled),
            _ => Err(Error::IncompatibleDatabase(format!(
                "A cleanup run has the status {word}, which this version does not know."
            ))),
        }
    }
}
