//! The GraphQL type of a deletion, and the payloads of mutations that delete and erase.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};

use super::{
    CleanupRun, DateTime, Deletion, DeletionImpact, GatewaySessionState, ImpactChange, TableImpact, UserError,
};
use crate::deletion;
use crate::graphql::context::ContextExt as _;
use crate::graphql::execution::row_list::Row;
use crate::graphql::loaders::RunById;

#[Object(use_type_description)]
impl Deletion {
    /// The record's own UUID.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Whether it can be restored, or what has become of what it kept.
    async fn status(&self) -> DeletionStatus {
        self.0.status.into()
    }

    /// The sessions that went, in the order asked for.
    async fn sessions(&self) -> Vec<DeletedSession> {
        self.0.sessions.iter().cloned().map(Into::into).collect()
    }

    /// Distinct rows that were deleted over all tables, the sessions themselves included.
    async fn rows_deleted(&self) -> i64 {
        self.0.rows_deleted
    }

    /// Distinct rows that stayed, with at least one reference cleared.
    async fn rows_unlinked(&self) -> i64 {
        self.0.rows_unlinked
    }

    /// What was done table by table; the sessions' own table first, then by name.
    async fn tables(&self) -> Vec<TableImpact> {
        self.0.tables.iter().cloned().map(Into::into).collect()
    }

    /// Who asked for it.
    async fn deleted_by(&self) -> &str {
        &self.0.deleted_by
    }

    /// Why, in the caller's words; null once the deletion has been erased.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// When it was committed.
    async fn deleted_at(&self) -> DateTime {
        self.0.deleted_at.into()
    }

    /// Until when it can be restored; null where nothing was kept.
    async fn restorable_until(&self) -> Option<DateTime> {
        self.0.restorable_until.map(Into::into)
    }

    /// When it was restored.
    async fn restored_at(&self) -> Option<DateTime> {
        self.0.restored_at.map(Into::into)
    }

    /// Who restored it.
    async fn restored_by(&self) -> Option<&str> {
        self.0.restored_by.as_deref()
    }

    /// When what it kept was erased before its time, with its sessions' names and its reason.
    async fn erased_at(&self) -> Option<DateTime> {
        self.0.erased_at.map(Into::into)
    }

    /// Who erased it.
    async fn erased_by(&self) -> Option<&str> {
        self.0.erased_by.as_deref()
    }

    /// What the caller allowed: allowConnected, allowPendingMessages.
    async fn allowed(&self) -> &[String] {
        &self.0.allowed
    }

    /// The cleanup that it was a batch of; null where a session was deleted by itself.
    async fn run(&self, ctx: &Context<'_>) -> Result<Option<CleanupRun>> {
        let Some(id) = self.0.run_id else { return Ok(None) };
        Ok(ctx.loader()?.load_one(RunById(id)).await?.map(CleanupRun))
    }
}

impl Row for Deletion {
    const SYNC_FIELDS: &'static [&'static str] = &[
        "id",
        "status",
        "rowsDeleted",
        "rowsUnlinked",
        "deletedBy",
        "reason",
        "deletedAt",
        "restorableUntil",
        "restoredAt",
        "restoredBy",
        "erasedAt",
        "erasedBy",
        "allowed",
    ];
}

/// name is null once the deletion has been erased.
#[derive(Debug, SimpleObject)]
pub struct DeletedSession {
    /// The session's id.
    id: ID,
    /// Its name at the time.
    name: Option<String>,
    /// What the gateway said of it just before it went; null where it was not asked.
    gateway: Option<GatewaySessionState>,
}

impl From<deletion::DeletedSession> for DeletedSession {
    fn from(session: deletion::DeletedSession) -> Self {
        Self { id: session.id.into(), name: session.name, gateway: session.gateway.map(Into::into) }
    }
}

/// What has become of the rows that a deletion kept.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "deletion::DeletionStatus")]
pub enum DeletionStatus {
    /// They are kept, and can be put back.
    Restorable,
    /// They have been put back.
    Restored,
    /// They were kept for as long as configured, and are gone.
    Expired,
    /// They were erased before their time.
    Erased,
    /// None were kept.
    NotArchived,
}

/// deletion is null where userErrors is not empty, and on a dry run; impact is what was, or would have been, done.
#[derive(Debug, SimpleObject)]
pub struct DeleteSessionPayload {
    /// The audit record of what was done.
    deletion: Option<Deletion>,
    /// What was, or would have been, done.
    impact: Option<DeletionImpact>,
    /// Where the impact differs from the one that was looked at.
    changes: Vec<ImpactChange>,
    /// Why nothing was done.
    user_errors: Vec<UserError>,
}

impl From<deletion::DeletionOutcome> for DeleteSessionPayload {
    fn from(outcome: deletion::DeletionOutcome) -> Self {
        Self {
            deletion: outcome.deletion.map(Deletion),
            impact: outcome.impact.map(Into::into),
            changes: outcome.changes.into_iter().map(Into::into).collect(),
            user_errors: outcome.refusals.into_iter().map(Into::into).collect(),
        }
    }
}

/// What came of an erasure.
#[derive(Debug, SimpleObject)]
pub struct EraseDeletionArchivePayload {
    /// The audit record, as it is then; null where there is no such deletion.
    deletion: Option<Deletion>,
    /// Why nothing was erased.
    user_errors: Vec<UserError>,
}

impl From<deletion::ErasureOutcome> for EraseDeletionArchivePayload {
    fn from(outcome: deletion::ErasureOutcome) -> Self {
        Self {
            deletion: outcome.deletion.map(Deletion),
            user_errors: outcome.refusals.into_iter().map(Into::into).collect(),
        }
    }
}
