//! The queries of the principal and of any node by its id.

use async_graphql::{Context, ID, Object, Result};

use crate::cleanup;
use crate::deletion::audit::query;
use crate::graphql::arguments::parse_id;
use crate::graphql::context::ContextExt as _;
use crate::graphql::types::{CleanupRun, Deletion, Group, Node, Session, Viewer};
use crate::{group, session};

#[derive(Default)]
pub(super) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Who is asking, and what the token allows.
    #[expect(clippy::unused_async, reason = "async-graphql wants async resolvers")]
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        let principal = ctx.principal()?;
        Ok(Viewer { name: principal.name().to_owned(), role: principal.role().into() })
    }

    /// Anything by its id: a session, a group, a deletion or a cleanup's run; null where there is none.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The id.")] id: ID) -> Result<Option<Node>> {
        let id = parse_id(&id)?;
        let db = ctx.state()?.database();
        if let Some(session) = session::queries::find(db, &[id]).await?.into_iter().next() {
            return Ok(Some(Session(session).into()));
        }
        if let Some(group) = group::queries::find(db, &[id]).await?.into_iter().next() {
            return Ok(Some(Group(group).into()));
        }
        if let Some(deletion) = query::find(db, id).await? {
            return Ok(Some(Deletion(deletion).into()));
        }
        Ok(cleanup::find(db, id).await?.map(|run| CleanupRun(run).into()))
    }
}
