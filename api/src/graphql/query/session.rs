//! Sessions: one, and the list.

use async_graphql::{Context, ID, Object, Result};

use crate::graphql::cursor::{self, page_cost, page_size};
use crate::graphql::id;
use crate::graphql::state::ContextExt as _;
use crate::graphql::types::{Session, SessionConnection};
use crate::session::read;

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
        let id = id::parse(&id)?;
        let found = read::find(ctx.state()?.database(), &[id]).await?;
        Ok(found.into_iter().next().map(Session))
    }

    /// The sessions, newest first.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many nodes the page has: 20 unless said, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "The cursor behind which the page starts.")] after: Option<String>,
    ) -> Result<SessionConnection> {
        let first = page_size(first)?;
        let after = after.map(|after| cursor::decode("after", &after)).transpose()?;
        let page = read::page(ctx.state()?.database(), first, after.as_ref()).await?;
        Ok(page.try_into()?)
    }
}
