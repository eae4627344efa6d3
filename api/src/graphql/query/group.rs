//! The queries of groups: one group and a list.

use async_graphql::{Context, ID, Object, Result};

use crate::graphql::arguments::parse_id;
use crate::graphql::context::ContextExt as _;
use crate::graphql::field_cost;
use crate::graphql::pagination::{page_cost, page_request, projection};
use crate::graphql::types::{Connection, Group, GroupFilter, GroupOrder, TotalCount, group_part};
use crate::group::queries;

#[derive(Default)]
pub(super) struct GroupQuery;

#[Object]
impl GroupQuery {
    /// The group with this id; null where there is none.
    async fn group(&self, ctx: &Context<'_>, #[graphql(desc = "The group's id.")] id: ID) -> Result<Option<Group>> {
        let id = parse_id(&id)?;
        let found = queries::find(ctx.state()?.database(), &[id]).await?;
        Ok(found.into_iter().next().map(Group))
    }

    /// The groups of all sessions, by name unless said.
    #[graphql(complexity = "field_cost::LIST + page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn groups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which groups; all unless said.")] filter: Option<GroupFilter>,
        #[graphql(desc = "In what order; by name unless said.")] order_by: Option<GroupOrder>,
        #[graphql(desc = "The first so many nodes: 20 unless said, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only nodes behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many nodes, 100 at most; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only nodes before the one with this cursor.")] before: Option<String>,
    ) -> Result<Connection<Group>> {
        let mut part =
            group_part(filter, order_by, page_request(ctx, first, after.as_deref(), last, before.as_deref())?)?;
        part.slice.unasked = projection::<Group>(ctx);
        let page = queries::page(ctx.state()?.database(), &part).await?;
        Ok(Connection::new(page, TotalCount::Groups(part.filter), Group))
    }
}
