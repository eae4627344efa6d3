//! The fields of queries, one file for each subject.

mod cleanup;
mod deletion;
mod group;
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
    group::GroupQuery,
    impact::ImpactQuery,
    deletion::DeletionQuery,
    cleanup::CleanupQuery,
    health::HealthQuery,
);
