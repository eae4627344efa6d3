//! Deletions that have been made.

use async_graphql::{Context, ID, Object, Result};

use crate::deletion::audit;
use crate::graphql::id;
use crate::graphql::state::ContextExt as _;
use crate::graphql::types::Deletion;

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
        let id = id::parse(&id)?;
        Ok(audit::find(ctx.state()?.database(), id).await?.map(Deletion))
    }
}
