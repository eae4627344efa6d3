//! Reading.

mod deletion;
mod health;
mod impact;
mod session;

use async_graphql::MergedObject;

/// Reading; nothing here changes anything.
#[derive(MergedObject, Default)]
pub struct Query(session::SessionQuery, impact::ImpactQuery, deletion::DeletionQuery, health::HealthQuery);
