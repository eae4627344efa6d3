//! The mutations that delete a session and erase the archive of a deletion.

use async_graphql::{Context, ID, InputObject, Object, Result};

use crate::deletion::{DeletionRequest, DeletionTerms};
use crate::error::Error;
use crate::graphql::arguments::parse_id;
use crate::graphql::capabilities::CapabilityExt as _;
use crate::graphql::types::{DeleteSessionPayload, EraseDeletionArchivePayload};

/// A session to delete, and what is expected of its deletion.
#[derive(Debug, InputObject)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct DeleteSessionInput {
    /// The session's id.
    id: ID,
    /// The token of the impact that was looked at.
    expected_impact: Option<String>,
    /// Refuse if more rows than this would be deleted, over all tables.
    at_most: Option<i64>,
    /// Delete the session even if it is connected now, or if the gateway says so.
    #[graphql(default = false)]
    allow_connected: bool,
    /// Delete the session even if messages that are still to be sent go with it.
    #[graphql(default = false)]
    allow_pending_messages: bool,
    /// Keep what is deleted, so that it can be restored.
    #[graphql(default = true)]
    archive: bool,
    /// The deletion itself, rolled back.
    #[graphql(default = false)]
    dry_run: bool,
    /// Why, for the audit record.
    reason: Option<String>,
    /// A deletion that was committed under this key by the same principal is answered again and nothing more is deleted; the
    /// same key with other input is IDEMPOTENCY_KEY_REUSED. Refusals and dry runs are not remembered. Kept for 7 days.
    idempotency_key: Option<String>,
}

impl DeleteSessionInput {
    fn into_request(self, principal: &str) -> Result<DeletionRequest, Error> {
        Ok(DeletionRequest {
            session_ids: vec![parse_id(&self.id)?],
            terms: DeletionTerms {
                expected_impact: self.expected_impact,
                at_most: self.at_most,
                allow_connected: self.allow_connected,
                allow_pending_messages: self.allow_pending_messages,
                archive: self.archive,
                reason: self.reason,
                idempotency_key: self.idempotency_key,
            },
            dry_run: self.dry_run,
            principal: principal.to_owned(),
            ..DeletionRequest::default()
        })
    }
}

/// A deletion of which nothing is to be kept. With its archived rows the names of its sessions and its reason go, and the
/// search and reason of the cleanup run that it was a batch of (after the run's end, where that is still under way); the rest
/// of the audit record stays. One that has expired, or kept nothing, becomes ERASED too, since its names go; one that has
/// been restored stays RESTORED. One that was erased before is ARCHIVE_GONE.
#[derive(Debug, InputObject)]
pub(super) struct EraseDeletionArchiveInput {
    /// The deletion's id.
    id: ID,
}

#[derive(Default)]
pub(super) struct DeletionMutation;

#[Object]
impl DeletionMutation {
    /// Deletes a session and all that goes with it, exactly as its impact shows, or nothing.
    #[graphql(complexity = "crate::graphql::field_cost::IMPACT + child_complexity")]
    async fn delete_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session, and what is expected of its deletion.")] input: DeleteSessionInput,
    ) -> Result<DeleteSessionPayload> {
        let operator = ctx.operator()?;
        let request = input.into_request(operator.name())?;
        Ok(operator.delete(request).await?.into())
    }

    /// Erases the archived rows of a deletion for good, before they expire. ADMIN only.
    #[graphql(complexity = "crate::graphql::field_cost::IMPACT + child_complexity")]
    async fn erase_deletion_archive(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deletion.")] input: EraseDeletionArchiveInput,
    ) -> Result<EraseDeletionArchivePayload> {
        Ok(ctx.admin()?.erase(parse_id(&input.id)?).await?.into())
    }
}
