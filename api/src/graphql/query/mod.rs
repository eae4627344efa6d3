//! Reading.

mod deletion;
mod health;
mod impact;
mod node;
mod session;

use async_graphql::MergedObject;

/// Reading; nothing here changes anything.
#[derive(MergedObject, Default)]
pub struct Query(
    node::NodeQuery,
    session::SessionQuery,
    impact::ImpactQuery,
    deletion::DeletionQuery,
    health::HealthQuery,
);
