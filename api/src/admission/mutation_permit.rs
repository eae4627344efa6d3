//! The permits of a running mutation.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::permit::Permit;
use super::query_permits::QueryPermits;

/// Concurrency permits held by a running mutation, released when its detached task ends, even if the client disconnects.
///
/// Clones are of the same permits, which are given back when the last clone is dropped.
#[derive(Debug, Clone)]
pub(crate) struct MutationPermit {
    _executions: Option<Arc<[Permit; 2]>>,
    /// The client's permits for mutations that may wait for locks; none where no client is limited.
    locks: Option<Arc<Semaphore>>,
    reads: Arc<QueryPermits>,
}

impl MutationPermit {
    /// Holds one permit of the client's mutations and one of the process's. `locks` are the client's permits for mutations
    /// that may wait for locks.
    pub(crate) fn new(client: Permit, process: Permit, locks: Arc<Semaphore>) -> Self {
        Self { _executions: Some(Arc::new([client, process])), locks: Some(locks), ..Self::unlimited() }
    }

    /// Returns the permit of a mutation that is executed without a server around it.
    pub(crate) fn unlimited() -> Self {
        Self { _executions: None, locks: None, reads: Arc::new(QueryPermits::sequential()) }
    }

    /// Waits until one more of the client's mutations may wait for locks.
    pub(crate) async fn acquire_lock_permit(&self) -> Option<Permit> {
        match &self.locks {
            Some(locks) => Some(Permit::acquire(locks).await),
            None => None,
        }
    }

    /// Returns the permits of what the mutation reads for its payload.
    pub(crate) const fn query_permits(&self) -> &Arc<QueryPermits> {
        &self.reads
    }
}
