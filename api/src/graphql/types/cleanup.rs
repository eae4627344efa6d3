//! The GraphQL types of cleanup runs and previews, and the payloads of mutations that start and cancel runs.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};

use super::{
    CleanupRun, Connection, DateTime, Deletion, DeletionImpact, ImpactChange, Session, TotalCount, UserError,
    UserErrorCode,
};
use crate::cleanup::{self, CleanupOutcome, RunOutcome};
use crate::db::pagination::Page;
use crate::graphql::context::ContextExt as _;
use crate::graphql::execution::row_list::Row;
use crate::graphql::loaders::{DeletionsByRun, SkippedByRun};
use crate::graphql::pagination::{page_cost, page_request};

/// sample: the first 20 sessions, in the order in which they would go.
#[derive(Debug, SimpleObject)]
pub struct CleanupPreview {
    /// What deleting all of them together would do.
    impact: DeletionImpact,
    /// How many sessions meet the criteria.
    session_count: i64,
    /// The first of them.
    sample: Vec<Session>,
    /// With missingFromGateway: how many meet the other criteria, and stay for what the gateway says, or does not.
    sessions_skipped: i64,
    /// The first 100 of those, each with the reason.
    skipped: Vec<SkippedSession>,
}

/// The maximum number of skipped sessions in a list without pages.
const MAX_LISTED: usize = 100;

/// Returns the number of skipped sessions, and the first [`MAX_LISTED`] of them.
fn count_and_list(skipped: Vec<cleanup::SkippedSession>) -> (i64, Vec<SkippedSession>) {
    let count = i64::try_from(skipped.len()).unwrap_or(i64::MAX);
    (count, skipped.into_iter().take(MAX_LISTED).map(Into::into).collect())
}

impl From<cleanup::Preview> for CleanupPreview {
    fn from(preview: cleanup::Preview) -> Self {
        let (sessions_skipped, skipped) = count_and_list(preview.skipped);
        Self {
            sessions_skipped,
            skipped,
            impact: preview.impact.into(),
            session_count: preview.session_count,
            sample: preview.sample.into_iter().map(Session).collect(),
        }
    }
}

#[Object(use_type_description)]
impl CleanupRun {
    /// The run's own UUID.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Deleting, or restoring what another run deleted.
    async fn kind(&self) -> CleanupRunKind {
        self.0.kind.into()
    }

    /// How far it is.
    async fn status(&self) -> CleanupRunStatus {
        self.0.status.into()
    }

    /// The criteria as JSON.
    async fn criteria(&self) -> String {
        serde_json::to_string(&self.0.criteria).unwrap_or_default()
    }

    /// The sessions on its list.
    async fn sessions_total(&self) -> i64 {
        self.0.sessions_total
    }

    /// Those that are gone.
    async fn sessions_deleted(&self) -> i64 {
        self.0.sessions_deleted
    }

    /// Sessions that no longer met the criteria, or could not be deleted, each with the reason.
    async fn sessions_skipped(&self) -> i64 {
        self.0.sessions_skipped
    }

    /// The sessions that were skipped so far, in the order in which they would have gone.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn skipped(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many nodes: 20 unless said, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only nodes behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many nodes, 100 at most; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only nodes before the one with this cursor.")] before: Option<String>,
    ) -> Result<Connection<SkippedSession>> {
        let slice = page_request(ctx, first, after.as_deref(), last, before.as_deref())?;
        let page = ctx.loader()?.load_one(SkippedByRun { run: self.0.id, slice }).await?;
        Ok(Connection::new(page.unwrap_or(Page::empty()), TotalCount::Counted(self.0.sessions_skipped), Into::into))
    }

    /// Rows deleted so far, over all tables.
    async fn rows_deleted(&self) -> i64 {
        self.0.rows_deleted
    }

    /// Rows that stayed so far, with at least one reference cleared; one that two batches reached counts twice.
    async fn rows_unlinked(&self) -> i64 {
        self.0.rows_unlinked
    }

    /// Sessions that are back, where it restores.
    async fn sessions_restored(&self) -> i64 {
        self.0.sessions_restored
    }

    /// Rows put back so far, over all tables, where it restores.
    async fn rows_restored(&self) -> i64 {
        self.0.rows_restored
    }

    /// Who asked for it.
    async fn started_by(&self) -> &str {
        &self.0.started_by
    }

    /// Why, in the caller's words.
    async fn reason(&self) -> Option<&str> {
        self.0.terms.reason.as_deref()
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When its work began.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(Into::into)
    }

    /// When it ended; null until then.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(Into::into)
    }

    /// Why it failed; null otherwise.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// What it deleted, newest first: one deletion for each batch.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn deletions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many nodes: 20 unless said, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only nodes behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many nodes, 100 at most; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only nodes before the one with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Deletion>> {
        let slice = page_request(ctx, first, after.as_deref(), last, before.as_deref())?;
        let page = ctx.loader()?.load_one(DeletionsByRun { run: self.0.id, slice }).await?;
        Ok(Connection::new(page.unwrap_or(Page::empty()), TotalCount::DeletionsOf(self.0.id), Deletion))
    }
}

impl Row for CleanupRun {}

impl Row for SkippedSession {
    const SYNC_FIELDS: &'static [&'static str] = &["sessionId", "code", "message"];
}

/// What a run does.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanupRunKind {
    /// It deletes sessions.
    Delete,
    /// It puts back what another run deleted.
    Restore,
}

impl From<cleanup::RunKind> for CleanupRunKind {
    fn from(kind: cleanup::RunKind) -> Self {
        match kind {
            cleanup::RunKind::Delete => Self::Delete,
            cleanup::RunKind::Restore => Self::Restore,
        }
    }
}

/// How far a run is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanupRunStatus {
    /// Nobody has begun with it.
    Queued,
    /// It is under way, or was interrupted and waits for a worker that goes on with it.
    Running,
    /// It came to its end; what could not go was skipped.
    Succeeded,
    /// It stopped before its end, or the database refused every session that it tried; error says why.
    Failed,
    /// Somebody stopped it; what was still to go was skipped.
    Cancelled,
}

impl From<cleanup::RunStatus> for CleanupRunStatus {
    fn from(status: cleanup::RunStatus) -> Self {
        match status {
            cleanup::RunStatus::Queued => Self::Queued,
            cleanup::RunStatus::Running => Self::Running,
            cleanup::RunStatus::Succeeded => Self::Succeeded,
            cleanup::RunStatus::Failed => Self::Failed,
            cleanup::RunStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// A session that a run left, and why.
#[derive(Debug, SimpleObject)]
pub struct SkippedSession {
    /// The session's id.
    session_id: ID,
    /// The stable code.
    code: UserErrorCode,
    /// What is the matter and what to do next.
    message: String,
}

impl From<cleanup::SkippedSession> for SkippedSession {
    fn from(skipped: cleanup::SkippedSession) -> Self {
        Self { session_id: skipped.session_id.into(), code: skipped.code.into(), message: skipped.message }
    }
}

/// run is null where userErrors is not empty, and on a dry run, whose userErrors say what would refuse the run; what would keep it from a session is in skipped.
#[derive(Debug, SimpleObject)]
pub struct CleanUpSessionsPayload {
    /// The run, which workers take from the queue: ask for it again, until it has finished.
    run: Option<CleanupRun>,
    /// What deleting all matching sessions would do; with a run, would have done when it began.
    impact: Option<DeletionImpact>,
    /// On a dry run: what deleting those of them does that would go. Its token is theirs alone; expectedImpact takes that of impact.
    would_go: Option<DeletionImpact>,
    /// On a dry run: how many sessions would stay.
    sessions_skipped: i64,
    /// On a dry run: the first 100 of those, each with the reason. With a run, they are the run's.
    skipped: Vec<SkippedSession>,
    /// Where the impact differs from the one that was looked at.
    changes: Vec<ImpactChange>,
    /// Why there is no run.
    user_errors: Vec<UserError>,
}

impl From<CleanupOutcome> for CleanUpSessionsPayload {
    fn from(outcome: CleanupOutcome) -> Self {
        let (sessions_skipped, skipped) = count_and_list(outcome.skipped);
        Self {
            would_go: outcome.would_go.map(Into::into),
            sessions_skipped,
            skipped,
            run: outcome.run.map(CleanupRun),
            impact: outcome.impact.map(Into::into),
            changes: outcome.changes.into_iter().map(Into::into).collect(),
            user_errors: outcome.refusals.into_iter().map(Into::into).collect(),
        }
    }
}

/// run is null where userErrors is not empty.
#[derive(Debug, SimpleObject)]
pub struct CancelCleanupRunPayload {
    /// The run, at its end.
    run: Option<CleanupRun>,
    /// Why nothing was stopped.
    user_errors: Vec<UserError>,
}

impl From<RunOutcome> for CancelCleanupRunPayload {
    fn from(cancelled: RunOutcome) -> Self {
        Self {
            run: cancelled.run.map(CleanupRun),
            user_errors: cancelled.refusals.into_iter().map(Into::into).collect(),
        }
    }
}
