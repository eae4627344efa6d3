//! Subscriptions to cleanup runs.

use async_graphql::{Context, ID, Result, Subscription};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};

use crate::error::Error;
use crate::graphql::arguments::parse_id;
use crate::graphql::context::ContextExt as _;
use crate::graphql::types::CleanupRun;

#[derive(Default)]
pub(super) struct CleanupSubscription;

#[Subscription]
impl CleanupSubscription {
    /// The run's state now, then at every change until it has finished.
    async fn cleanup_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The run's id.")] id: ID,
    ) -> Result<impl Stream<Item = Result<CleanupRun>> + use<>> {
        let id = parse_id(&id)?;
        let unknown = || Error::BadInput(format!("No cleanup run has the id {id}."));
        let permit = ctx.event_permit()?.clone();
        permit.acquire().await;
        let states = ctx.state()?.run_watcher().run(id).await?.ok_or_else(unknown)?;
        let events = states.map_ok(CleanupRun).map_err(Into::into);
        Ok(events.then(move |event| {
            let permit = permit.clone();
            async move {
                permit.acquire().await;
                event
            }
        }))
    }
}
