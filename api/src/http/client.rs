//! Who is at the other end of a connection, and what is being done for it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// The other end of a connection. Clones are of the same one.
#[derive(Debug, Clone)]
pub(super) struct Client(Arc<State>);

#[derive(Debug)]
struct State {
    /// None where there is no connection, as in tests.
    address: Option<IpAddr>,
    /// Requests whose head has arrived and whose answer has not been handed over.
    begun: watch::Sender<usize>,
    /// Those of them that are executed.
    executed: AtomicUsize,
    /// Sockets and HTTP/2 ask for many things at once: whoever asks over another connection must not wait for all of them.
    turns: Semaphore,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(None, 1)
    }
}

impl Client {
    /// One of whose queries so many are executed at once.
    pub(super) fn new(address: Option<IpAddr>, queries: usize) -> Self {
        let (begun, executed) = (watch::Sender::default(), AtomicUsize::default());
        Self(Arc::new(State { address, begun, executed, turns: Semaphore::new(queries) }))
    }

    /// Waits until a query of its may be executed, which is until what is returned is dropped.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.0.turns.acquire().await.ok()
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        self.0.address
    }

    /// A request of its has begun, until what is returned is dropped.
    pub(super) fn begin(&self) -> Begun {
        self.0.begun.send_modify(|requests| *requests += 1);
        Begun(self.clone())
    }

    /// A request of its is executed, until what is returned is dropped.
    pub(super) fn execute(&self) -> Executed {
        self.0.executed.fetch_add(1, Ordering::Relaxed);
        Executed(self.clone())
    }

    /// Whether something is executed for it, which would be lost with it.
    pub(super) fn is_served(&self) -> bool {
        self.0.executed.load(Ordering::Relaxed) > 0
    }

    /// Waits until it has made no request for as long as `patience`.
    pub(super) async fn silent(&self, patience: Duration) {
        let mut begun = self.0.begun.subscribe();
        loop {
            if *begun.borrow_and_update() > 0 {
                // The sender is this client's own.
                let _ = begun.changed().await;
            } else if tokio::time::timeout(patience, begun.changed()).await.is_err() {
                return;
            }
        }
    }
}

/// A request that has begun.
#[derive(Debug)]
pub(super) struct Begun(Client);

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.0.begun.send_modify(|requests| *requests -= 1);
    }
}

/// A request that is executed.
#[derive(Debug)]
pub(super) struct Executed(Client);

impl Drop for Executed {
    fn drop(&mut self) {
        self.0.0.executed.fetch_sub(1, Ordering::Relaxed);
    }
}
