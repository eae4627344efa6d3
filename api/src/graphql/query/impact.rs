//! The query of the impact of a deletion.

use async_graphql::{Context, ID, Object, Result};

use crate::graphql::arguments::parse_ids;
use crate::graphql::context::ContextExt as _;
use crate::graphql::field_cost;
use crate::graphql::types::DeletionImpact;
use crate::impact;

#[derive(Default)]
pub(super) struct ImpactQuery;

#[Object]
impl ImpactQuery {
    /// What deleting these sessions together would do, exactly; nothing is changed. At most 1,000 ids; one that is malformed or unknown is BAD_USER_INPUT, by name.
    #[graphql(complexity = "field_cost::IMPACT + session_ids.len() + child_complexity")]
    async fn deletion_impact(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The sessions' ids.")] session_ids: Vec<ID>,
    ) -> Result<DeletionImpact> {
        let sessions = parse_ids("sessionIds", &session_ids)?;
        Ok(impact::impact_of(ctx.state()?.database(), &sessions).await?.into())
    }
}
