//! The queries of cleanups: a preview, a run and a list of runs.

use async_graphql::{Context, ID, Object, Result};

use crate::cleanup;
use crate::graphql::arguments::parse_id;
use crate::graphql::context::ContextExt as _;
use crate::graphql::field_cost;
use crate::graphql::pagination::{page_cost, page_request};
use crate::graphql::types::{CleanupCriteria, CleanupPreview, CleanupRun, Connection, TotalCount};

#[derive(Default)]
pub(super) struct CleanupQuery;

#[Object]
impl CleanupQuery {
    /// What a cleanup by these criteria would do, exactly; nothing is changed.
    #[graphql(complexity = "field_cost::PREVIEW + child_complexity")]
    async fn cleanup_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(default, desc = "Which sessions; the stale ones unless said.")] criteria: CleanupCriteria,
    ) -> Result<CleanupPreview> {
        let (state, criteria) = (ctx.state()?, criteria.try_into()?);
        Ok(cleanup::preview(state.database(), state.gateway(), &criteria).await?.into())
    }

    /// The cleanup run with this id; null where there is none.
    async fn cleanup_run(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The run's id.")] id: ID,
    ) -> Result<Option<CleanupRun>> {
        let id = parse_id(&id)?;
        Ok(cleanup::find(ctx.state()?.database(), id).await?.map(CleanupRun))
    }

    /// Every cleanup run, newest first.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    async fn cleanup_runs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first so many nodes: 20 unless said, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only nodes behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many nodes, 100 at most; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only nodes before the one with this cursor.")] before: Option<String>,
    ) -> Result<Connection<CleanupRun>> {
        let slice = page_request(ctx, first, after.as_deref(), last, before.as_deref())?;
        let page = cleanup::page(ctx.state()?.database(), &slice).await?;
        Ok(Connection::new(page, TotalCount::CleanupRuns, CleanupRun))
    }
}
