//! The queries of one deletion and of the audit trail.

use async_graphql::{Context, ID, Object, Result};

use crate::deletion;
use crate::deletion::audit::query;
use crate::graphql::arguments::parse_id;
use crate::graphql::context::ContextExt as _;
use crate::graphql::field_cost;
use crate::graphql::pagination::{page_cost, page_request};
use crate::graphql::types::{Connection, Deletion, DeletionFilter, TotalCount};

#[derive(Default)]
pub(super) struct DeletionQuery;

#[Object]
impl DeletionQuery {
    /// The deletion with this id; null where there is none.
    async fn deletion(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deletion's id.")] id: ID,
    ) -> Result<Option<Deletion>> {
        let id = parse_id(&id)?;
        Ok(query::find(ctx.state()?.database(), id).await?.map(Deletion))
    }

    /// The audit trail: every deletion made through this API, newest first.
    #[graphql(complexity = "field_cost::LIST + page_cost(first, last, child_complexity)")]
    async fn deletions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deletions; all unless said.")] filter: Option<DeletionFilter>,
        #[graphql(desc = "The first so many nodes: 20 unless said, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only nodes behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many nodes, 100 at most; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only nodes before the one with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Deletion>> {
        let slice = page_request(ctx, first, after.as_deref(), last, before.as_deref())?;
        let filter = deletion::DeletionFilter::try_from(filter.unwrap_or_default())?;
        let page = query::page(ctx.state()?.database(), &filter, &slice).await?;
        Ok(Connection::new(page, TotalCount::Deletions(filter), Deletion))
    }
}
