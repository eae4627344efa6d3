//! The number of nodes of a list, which is counted only if a query requests it.

use std::sync::Arc;

use async_graphql::{Context, Result};
use futures_util::future::OptionFuture;
use uuid::Uuid;

use crate::cleanup;
use crate::deletion::audit::query;
use crate::graphql::context::ContextExt as _;
use crate::graphql::loaders::{DeletionCountByRun, GroupCountBySession};
use crate::{deletion, group, session};

/// A list to be counted.
#[derive(Debug, Clone)]
pub enum TotalCount {
    /// The sessions that match a filter.
    Sessions(session::SessionFilter),
    /// The groups that match a filter.
    Groups(group::GroupFilter),
    /// The groups of one session that match a filter.
    GroupsOf(Uuid, Arc<group::GroupFilter>),
    /// The deletions that match a filter.
    Deletions(deletion::DeletionFilter),
    /// All cleanup runs.
    CleanupRuns,
    /// The deletions of one run.
    DeletionsOf(Uuid),
    /// A list that has already been counted.
    Counted(i64),
}

impl TotalCount {
    /// Counts the nodes.
    pub(super) async fn count(&self, ctx: &Context<'_>) -> Result<i64> {
        let db = ctx.state()?.database();
        // A count by a loader acquires its permit in the batch.
        let by_loader = matches!(self, Self::GroupsOf(..) | Self::DeletionsOf(_) | Self::Counted(_));
        let reads = ctx.request_context()?.permit().query_permits().filter(|_| !by_loader);
        let _permit = OptionFuture::from(reads.map(|reads| reads.batch())).await;
        Ok(match self {
            Self::Sessions(filter) => session::queries::count(db, filter).await?,
            Self::Groups(filter) => group::queries::count(db, filter).await?,
            Self::GroupsOf(session, filter) => {
                let key = GroupCountBySession { session: *session, filter: Arc::clone(filter) };
                ctx.loader()?.load_one(key).await?.unwrap_or_default()
            }
            Self::Deletions(filter) => query::count(db, filter).await?,
            Self::CleanupRuns => cleanup::count(db).await?,
            Self::DeletionsOf(run) => ctx.loader()?.load_one(DeletionCountByRun(*run)).await?.unwrap_or_default(),
            Self::Counted(count) => *count,
        })
    }
}
