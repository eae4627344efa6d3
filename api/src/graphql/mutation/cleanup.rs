//! The mutations that start and cancel a cleanup run.

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::cleanup::CleanupRequest;
use crate::deletion::DeletionTerms;
use crate::error::Error;
use crate::graphql::arguments::parse_id;
use crate::graphql::capabilities::CapabilityExt as _;
use crate::graphql::field_cost;
use crate::graphql::types::{CancelCleanupRunPayload, CleanUpSessionsPayload, CleanupCriteria};

/// The sessions to delete, and what is expected of that.
#[derive(Debug, InputObject)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct CleanUpSessionsInput {
    /// Which sessions; the stale ones unless said.
    #[graphql(default)]
    criteria: CleanupCriteria,
    /// A bulk cleanup only reports what it would do, until it is told otherwise.
    #[graphql(default = true)]
    dry_run: bool,
    /// The token of the impact that was looked at.
    expected_impact: Option<String>,
    /// Refuse, or stop before the batch that would pass it, if more rows than this would be deleted.
    at_most: Option<i64>,
    /// Delete sessions even if they are connected now, or if the gateway says so.
    #[graphql(default = false)]
    allow_connected: bool,
    /// Delete sessions even if messages that are still to be sent go with them.
    #[graphql(default = false)]
    allow_pending_messages: bool,
    /// Keep what is deleted, so that it can be restored.
    #[graphql(default = true)]
    archive: bool,
    /// Why, for the audit record.
    reason: Option<String>,
    /// The run that was started under this key by the same principal is answered again, as it is by then; the same
    /// key with other input is IDEMPOTENCY_KEY_REUSED. Refusals and dry runs are not remembered. Kept for 7 days.
    idempotency_key: Option<String>,
}

impl CleanUpSessionsInput {
    fn into_request(self, principal: &str) -> Result<CleanupRequest, Error> {
        Ok(CleanupRequest {
            criteria: self.criteria.try_into()?,
            dry_run: self.dry_run,
            terms: DeletionTerms {
                expected_impact: self.expected_impact,
                at_most: self.at_most,
                allow_connected: self.allow_connected,
                allow_pending_messages: self.allow_pending_messages,
                archive: self.archive,
                reason: self.reason,
                idempotency_key: self.idempotency_key,
            },
            principal: principal.to_owned(),
        })
    }
}

/// A run to stop.
#[derive(Debug, InputObject)]
pub(super) struct CancelCleanupRunInput {
    /// The run's id.
    id: ID,
}

#[derive(Default)]
pub(super) struct CleanupMutation;

#[Object]
impl CleanupMutation {
    /// Deletes the sessions that meet criteria, in short transactions: the answer is a queued run, which workers take.
    #[graphql(complexity = "field_cost::PREVIEW + child_complexity")]
    async fn clean_up_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sessions, and what is expected of their deletion.")] input: CleanUpSessionsInput,
    ) -> Result<CleanUpSessionsPayload> {
        let operator = ctx.operator()?;
        let request = input.into_request(operator.name())?;
        Ok(operator.clean_up(request).await?.into())
    }

    /// Stops a cleanup run between two batches; what it has deleted stays deleted, and the rest is skipped.
    async fn cancel_cleanup_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The run.")] input: CancelCleanupRunInput,
    ) -> Result<CancelCleanupRunPayload> {
        Ok(ctx.operator()?.cancel(parse_id(&input.id)?).await?.into())
    }
}
