//! The permit of a subscription's event. However many subscriptions there are, only a few events of a process are resolved
//! at once, which leaves database connections for everything else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use super::permit::Permit;

/// One subscription's permit, which it acquires for each event and releases once the event is resolved. Clones are of the same
/// permit; it is released when the last is dropped.
#[derive(Debug, Clone)]
pub(crate) struct EventPermit {
    process: Arc<Semaphore>,
    acquired: Arc<Mutex<Option<Permit>>>,
}

impl EventPermit {
    /// Creates a permit that has not been acquired.
    pub(crate) fn new(process: Arc<Semaphore>) -> Self {
        Self { process, acquired: Arc::default() }
    }

    /// Waits for the permit, unless it has been acquired already.
    pub(crate) async fn acquire(&self) {
        if self.acquired().is_some() {
            return;
        }
        let permit = Permit::acquire(&self.process).await;
        *self.acquired() = Some(permit);
    }

    /// Gives the permit back, for other subscriptions.
    pub(crate) fn release(&self) {
        self.acquired().take();
    }

    fn acquired(&self) -> MutexGuard<'_, Option<Permit>> {
        // A panic leaves nothing half changed.
        self.acquired.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
