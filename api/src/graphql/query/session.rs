//! The queries of sessions: one session, a list and counts by status.

use async_graphql::{Context, ID, Object, Result};

use crate::graphql::arguments::parse_id;
use crate::graphql::context::ContextExt as _;
use crate::graphql::field_cost;
use crate::graphql::pagination::{page_cost, page_request, projection};
use crate::graphql::types::{Connection, Session, SessionFilter, SessionOrder, SessionStats, TotalCount};
use crate::session::{self, queries};

#[derive(Default)]
pub(super) struct SessionQuery;

#[Object]
impl SessionQuery {
    /// The session with this id; null where there is none.
    async fn session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's id.")] id: ID,
    ) -> Result<Option<Session>> {
        let id = parse_id(&id)?;
        let found = queries::find(ctx.state()?.database(), &[id]).await?;
        Ok(found.into_iter().next().map(Session))
    }

    /// The sessions, newest first unless said.
    #[graphql(complexity = "field_cost::LIST + page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions; all unless said.")] filter: Option<SessionFilter>,
        #[graphql(desc = "In what order; newest first unless said.")] order_by: Option<SessionOrder>,
        #[graphql(desc = "The first so many nodes: 20 unless said, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only nodes behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many nodes, 100 at most; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only nodes before the one with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Session>> {
        let mut slice = page_request(ctx, first, after.as_deref(), last, before.as_deref())?;
        slice.unasked = projection::<Session>(ctx);
        let filter = session::SessionFilter::try_from(filter.unwrap_or_default())?;
        let order = order_by.unwrap_or_default();
        let descending = order.direction.descending();
        let page = queries::page(ctx.state()?.database(), &filter, order.field.into(), descending, &slice).await?;
        Ok(Connection::new(page, TotalCount::Sessions(filter), Session))
    }

    /// Sessions counted by status, and how many of them are stale.
    #[graphql(complexity = "field_cost::LIST + child_complexity")]
    async fn session_stats(&self, ctx: &Context<'_>) -> Result<SessionStats> {
        Ok(queries::count_by_status(ctx.state()?.database()).await?.into())
    }
}
