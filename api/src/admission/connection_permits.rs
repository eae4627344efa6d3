//! The permits of the process for the shares of its database pool that requests use.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::connection_budget::ConnectionBudget;
use super::event_permit::EventPermit;
use super::permit::Permit;
use super::query_permits::QueryPermits;

/// The permits of a process, one for each connection of a share. Clones are of the same permits.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionPermits {
    queries: Arc<Semaphore>,
    mutations: Arc<Semaphore>,
    events: Arc<Semaphore>,
}

impl ConnectionPermits {
    /// Creates the permits of these shares.
    pub(crate) fn new(budget: &ConnectionBudget) -> Self {
        let semaphore = |share| Arc::new(Semaphore::new(share));
        Self {
            queries: semaphore(budget.queries),
            mutations: semaphore(budget.mutations),
            events: semaphore(budget.events),
        }
    }

    /// Waits until a query may read.
    pub(crate) async fn acquire_query(&self) -> QueryPermits {
        QueryPermits::for_query(Arc::clone(&self.queries)).await
    }

    /// Waits until a mutation may wait for locks.
    pub(crate) async fn acquire_mutation(&self) -> Permit {
        Permit::acquire(&self.mutations).await
    }

    /// Returns the permit of a subscription, which acquires it for each event.
    pub(crate) fn event(&self) -> EventPermit {
        EventPermit::new(Arc::clone(&self.events))
    }
}
