//! Leave to change something.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places that a mutation has taken. Clones are of the same ones: they are taken until the last is dropped, which what the
/// mutation has begun keeps to its end, whether or not its client waits for it.
#[derive(Debug, Clone)]
pub struct Leave {
    _places: Arc<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    /// The turns of whoever asks among those who may wait for locks.
    pub(crate) locks: Arc<Semaphore>,
}

impl Leave {
    /// With a place among those of whoever asks, and one among all; and the turns of whoever asks among those who may wait
    /// for locks.
    #[must_use]
    pub fn new(places: (OwnedSemaphorePermit, OwnedSemaphorePermit), locks: Arc<Semaphore>) -> Self {
        Self { _places: Arc::new(places), locks }
    }
}
