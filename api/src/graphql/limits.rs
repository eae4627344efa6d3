//! What a query may cost. How deep and how long it is has been settled before ([`super::document`]).

use std::sync::Arc;

use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextValidation};
use async_graphql::{ServerError, ValidationResult, async_trait};

use super::error::{QUERY_TOO_COMPLEX, coded};

/// Every field costs one, a page its fields times its size, and what makes the database work more besides.
const MAX_COST: usize = 25_000;

/// What an impact costs besides its fields.
pub(super) const IMPACT: usize = 100;
/// What the impact of a session on a page costs: they are counted together.
pub(super) const IMPACT_OF_MANY: usize = 10;
/// What counting the rows that refer to a group costs besides its fields: in a dozen tables, those of all groups together.
pub(super) const REFERENCES: usize = 10;
/// What counting a whole list costs.
pub(super) const COUNT: usize = 10;
/// What a diagnosis of the whole schema costs.
pub(super) const HEALTH: usize = 500;

/// Refuses queries that cost too much. The library has such a limit too, but its error has no code.
pub(super) struct Cost;

impl ExtensionFactory for Cost {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for Cost {
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        if result.complexity > MAX_COST {
            let message = format!(
                "The query costs {}, and at most {MAX_COST} is answered. Ask for smaller pages or fewer fields.",
                result.complexity
            );
            return Err(vec![coded(QUERY_TOO_COMPLEX, message)]);
        }
        Ok(result)
    }
}
