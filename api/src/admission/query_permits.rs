//! The permits of one request's reads, which bound how many database connections it uses at once.
//!
//! A query waits for one permit of the process, which is good for one connection. While further permits are free it takes
//! those too and reads several things at once; otherwise it reads one thing after the other. So queries leave connections for
//! everything else, however many fields and however many queries there are.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::permit::Permit;

/// The permits of one request's reads.
#[derive(Debug)]
pub(crate) struct QueryPermits {
    /// The further permits that the process may have.
    process: Arc<Semaphore>,
    _own: Option<Permit>,
    /// A root field holds its permit while it waits for what its nodes read; so batches have a permit of their own.
    root_fields: Arc<Semaphore>,
    batches: Arc<Semaphore>,
}

impl QueryPermits {
    /// Waits for a query's permit among those of the process.
    pub(crate) async fn for_query(process: Arc<Semaphore>) -> Self {
        let own = Permit::acquire(&process).await;
        Self { _own: Some(own), ..Self::new(process) }
    }

    /// Returns the permits of a mutation, which has a permit of its own kind and reads one thing after the other.
    pub(crate) fn sequential() -> Self {
        Self::new(Arc::new(Semaphore::new(0)))
    }

    fn new(process: Arc<Semaphore>) -> Self {
        let one = || Arc::new(Semaphore::new(1));
        Self { process, _own: None, root_fields: one(), batches: one() }
    }

    /// Waits until a root field may be resolved.
    pub(crate) async fn root_field(&self) -> Permit {
        self.acquire(&self.root_fields).await
    }

    /// Waits until a batch of nodes below a root field may be read.
    pub(crate) async fn batch(&self) -> Permit {
        self.acquire(&self.batches).await
    }

    async fn acquire(&self, own: &Arc<Semaphore>) -> Permit {
        match Permit::try_acquire(own).or_else(|| Permit::try_acquire(&self.process)) {
            Some(permit) => permit,
            None => Permit::acquire(own).await,
        }
    }
}
