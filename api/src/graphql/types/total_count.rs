//! How many nodes a list has: counted only when a query asks for it.

use std::sync::Arc;

use async_graphql::{Context, Result};
use futures_util::future::OptionFuture;
use uuid::Uuid;

use crate::cleanup;
use crate::deletion::audit::query;
use crate::graphql::context::ContextExt as _;
use crate::graphql::loaders::{DeletionCountOf, GroupCountOf};
use crate::{deletion, group, session};

/// The list that would be counted.
#[derive(Debug, Clone)]
pub enum Total {
    /// The sessions that meet a filter.
    Sessions(session::Filter),
    /// The groups that meet a filter.
    Groups(group::Filter),
    /// The groups of one session that meet a filter.
    GroupsOf(Uuid, Arc<group::Filter>),
    /// The deletions that meet a filter.
    Deletions(deletion::Filter),
    /// All cleanup runs.
    CleanupRuns,
    /// The deletions of one run.
    DeletionsOf(Uuid),
    /// One that has been counted already.
    Counted(i64),
}

impl Total {
    /// Counts it.
    pub(super) async fn count(&self, ctx: &Context<'_>) -> Result<i64> {
        let db = ctx.state()?.database();
        // Those that a loader counts wait in its batch.
        let by_loader = matches!(self, Self::GroupsOf(..) | Self::DeletionsOf(_) | Self::Counted(_));
        let reads = ctx.request_context()?.permit().reads().filter(|_| !by_loader);
        let _permit = OptionFuture::from(reads.map(|reads| reads.batch())).await;
        Ok(match self {
            Self::Sessions(filter) => session::queries::count(db, filter).await?,
            Self::Groups(filter) => group::queries::count(db, filter).await?,
            Self::GroupsOf(session, filter) => {
                let counted = GroupCountOf { session: *session, filter: Arc::clone(filter) };
                ctx.loader()?.load_one(counted).await?.unwrap_or_default()
            }
            Self::Deletions(filter) => query::count(db, filter).await?,
            Self::CleanupRuns => cleanup::count(db).await?,
            Self::DeletionsOf(run) => ctx.loader()?.load_one(DeletionCountOf(*run)).await?.unwrap_or_default(),
            Self::Counted(count) => *count,
        })
    }
}
