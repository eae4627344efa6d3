//! How many nodes a list has: counted only when a query asks for it.

use async_graphql::{Context, Result};

use crate::deletion::trail;
use crate::graphql::state::ContextExt as _;
use crate::session::read;
use crate::{deletion, session};

/// The list that would be counted.
#[derive(Debug, Clone)]
pub enum Total {
    /// The sessions that meet a filter.
    Sessions(session::Filter),
    /// The deletions that meet a filter.
    Deletions(deletion::Filter),
}

impl Total {
    /// Counts it.
    pub(super) async fn count(&self, ctx: &Context<'_>) -> Result<i64> {
        let db = ctx.state()?.database();
        Ok(match self {
            Self::Sessions(filter) => read::count(db, filter).await?,
            Self::Deletions(filter) => trail::count(db, filter).await?,
        })
    }
}
