//! A bound on concurrent executions.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::permit::Permit;

/// How long a caller queues, unless the limit says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

/// A limit of concurrent executions with a bounded queue. Callers in the queue wait for up to a timeout; all others fail at
/// once with [`Overloaded`], which costs less than to let everybody wait.
#[derive(Debug, Clone)]
pub(crate) struct QueueLimit {
    executions: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    timeout: Duration,
}

/// The error of a caller for whom there is no permit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overloaded;

impl QueueLimit {
    /// Creates a limit whose queue is as long as the number of executions, with a timeout of one second.
    pub(crate) fn new(executions: usize) -> Self {
        Self::with_queue(executions, executions, DEFAULT_TIMEOUT)
    }

    /// Creates a limit with a queue of `queue` callers that wait for up to `timeout`.
    pub(crate) fn with_queue(executions: usize, queue: usize, timeout: Duration) -> Self {
        Self { executions: Arc::new(Semaphore::new(executions)), queue: Arc::new(Semaphore::new(queue)), timeout }
    }

    /// Waits for a permit to execute.
    ///
    /// # Errors
    /// [`Overloaded`] where the queue is full, or the timeout is over.
    pub(crate) async fn acquire(&self) -> Result<Permit, Overloaded> {
        if let Some(permit) = Permit::try_acquire(&self.executions) {
            return Ok(permit);
        }
        let _queued = self.queue.try_acquire().map_err(|_| Overloaded)?;
        tokio::time::timeout(self.timeout, Permit::acquire(&self.executions)).await.map_err(|_| Overloaded)
    }
}
