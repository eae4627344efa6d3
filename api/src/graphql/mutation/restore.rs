//! The mutations that restore a deletion or all deletions of a cleanup run.

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::cleanup::RestoreRunRequest;
use crate::graphql::arguments::parse_id;
use crate::graphql::capabilities::CapabilityExt as _;
use crate::graphql::field_cost;
use crate::graphql::types::{RestoreCleanupRunPayload, RestoreDeletionPayload};
use crate::restore::RestoreRequest;

/// Messages that were pending and whose time has passed would be sent at once: PENDING_MESSAGES unless allowed.
#[derive(Debug, InputObject)]
pub(super) struct RestoreDeletionInput {
    /// The deletion's id.
    id: ID,
    /// Restore even if messages come back that were pending and are overdue.
    #[graphql(default = false)]
    allow_pending_messages: bool,
    /// The restore itself, rolled back.
    #[graphql(default = false)]
    dry_run: bool,
}

/// The run to take back, and what is allowed.
#[derive(Debug, InputObject)]
pub(super) struct RestoreCleanupRunInput {
    /// The run's id.
    id: ID,
    /// Restore even if messages come back that were pending and are overdue.
    #[graphql(default = false)]
    allow_pending_messages: bool,
}

#[derive(Default)]
pub(super) struct RestoreMutation;

#[Object]
impl RestoreMutation {
    /// Puts back every row of a deletion and every reference that it cleared, or nothing.
    #[graphql(complexity = "field_cost::IMPACT + child_complexity")]
    async fn restore_deletion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deletion, and what is allowed.")] input: RestoreDeletionInput,
    ) -> Result<RestoreDeletionPayload> {
        let operator = ctx.operator()?;
        let request = RestoreRequest {
            deletion_id: parse_id(&input.id)?,
            allow_pending_messages: input.allow_pending_messages,
            dry_run: input.dry_run,
            principal: operator.name().to_owned(),
        };
        Ok(operator.restore(request).await?.into())
    }

    /// Restores all deletions of a run, newest first, as a background run.
    async fn restore_cleanup_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The run, and what is allowed.")] input: RestoreCleanupRunInput,
    ) -> Result<RestoreCleanupRunPayload> {
        let operator = ctx.operator()?;
        let request = RestoreRunRequest {
            run_id: parse_id(&input.id)?,
            allow_pending_messages: input.allow_pending_messages,
            principal: operator.name().to_owned(),
        };
        Ok(operator.restore_run(request).await?.into())
    }
}
