//! The payloads of mutations that restore, and the conflicts that they report.

use async_graphql::{ComplexObject, Context, Result, SimpleObject};
use uuid::Uuid;

use super::{CleanupRun, Deletion, UserError};
use crate::cleanup::RunOutcome;
use crate::graphql::context::ContextExt as _;
use crate::graphql::loaders::DeletionById;
use crate::restore;

/// conflicts says row by row what stands in the way: a key taken since, a parent that is gone, a row that a later deletion
/// took (which is to be restored first); then nothing is written. rowsNotRelinked are references that could not be set again
/// because somebody has set them, or deleted their row, since: they are left as they are.
#[derive(Debug, SimpleObject)]
pub struct RestoreDeletionPayload {
    /// The audit record, as it is then.
    deletion: Option<Deletion>,
    /// Rows that were, or would have been, put back.
    rows_restored: i64,
    /// Rows with at least one reference set again.
    rows_relinked: i64,
    /// References that were left as they are.
    rows_not_relinked: i64,
    /// Messages among the rows that were pending and whose time has passed.
    overdue_messages: i64,
    /// What stands in the way; the first 1,000 of each kind.
    conflicts: Vec<RestoreConflict>,
    /// Why nothing was done.
    user_errors: Vec<UserError>,
}

/// run is null where userErrors is not empty.
#[derive(Debug, SimpleObject)]
pub struct RestoreCleanupRunPayload {
    /// The run that restores, which workers take from the queue.
    run: Option<CleanupRun>,
    /// Why there is no run.
    user_errors: Vec<UserError>,
}

impl From<RunOutcome> for RestoreCleanupRunPayload {
    fn from(outcome: RunOutcome) -> Self {
        Self { run: outcome.run.map(CleanupRun), user_errors: outcome.refusals.into_iter().map(Into::into).collect() }
    }
}

/// One thing that stands in the way of a restore.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub struct RestoreConflict {
    /// The table of the row that cannot be put back.
    table: String,
    /// The row's key, its values joined by a comma; empty where it is about the whole table.
    key: String,
    /// What is in the way and what to do.
    message: String,
    #[graphql(skip)]
    deletion_id: Option<Uuid>,
}

#[ComplexObject]
impl RestoreConflict {
    /// The deletion to restore first.
    async fn deletion(&self, ctx: &Context<'_>) -> Result<Option<Deletion>> {
        let Some(id) = self.deletion_id else { return Ok(None) };
        Ok(ctx.loader()?.load_one(DeletionById(id)).await?.map(Deletion))
    }
}

impl From<restore::RestoreOutcome> for RestoreDeletionPayload {
    fn from(outcome: restore::RestoreOutcome) -> Self {
        let conflicts = outcome.conflicts.into_iter().map(|conflict| RestoreConflict {
            table: conflict.table,
            key: conflict.key,
            message: conflict.message,
            deletion_id: conflict.deletion_id,
        });
        Self {
            deletion: outcome.deletion.map(Deletion),
            rows_restored: outcome.rows_restored,
            rows_relinked: outcome.rows_relinked,
            rows_not_relinked: outcome.rows_not_relinked,
            overdue_messages: outcome.overdue_messages,
            conflicts: conflicts.collect(),
            user_errors: outcome.refusals.into_iter().map(Into::into).collect(),
        }
    }
}
