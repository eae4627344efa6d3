//! The query of schema health.

use async_graphql::{Context, Object, Result};

use crate::graphql::context::ContextExt as _;
use crate::graphql::field_cost;
use crate::graphql::types::SchemaHealth;
use crate::schema_health;

#[derive(Default)]
pub(super) struct HealthQuery;

#[Object]
impl HealthQuery {
    /// Whether every foreign key that a session's deletion can reach lets the deletion through.
    #[graphql(complexity = "field_cost::HEALTH + child_complexity")]
    async fn schema_health(&self, ctx: &Context<'_>) -> Result<SchemaHealth> {
        let state = ctx.state()?;
        Ok(schema_health::diagnose(state.database(), state.accepted()).await?.into())
    }
}
