//! The permit that a request holds while it is executed.

use std::sync::Arc;

use super::event_permit::EventPermit;
use super::mutation_permit::MutationPermit;
use super::query_permits::QueryPermits;

/// The permit of a request, by the kind of its operation. Clones are of the same permit.
#[derive(Debug, Clone, Default)]
pub(crate) enum RequestPermit {
    /// Nothing is executed yet.
    #[default]
    None,
    Query(Arc<QueryPermits>),
    Mutation(MutationPermit),
    Subscription(EventPermit),
}

impl RequestPermit {
    /// Returns the permits of the request's reads; none for a subscription, whose batches follow one another.
    pub(crate) const fn query_permits(&self) -> Option<&Arc<QueryPermits>> {
        match self {
            Self::Query(permits) => Some(permits),
            Self::Mutation(permit) => Some(permit.query_permits()),
            Self::Subscription(_) | Self::None => None,
        }
    }
}
