//! Turns: of the events that subscriptions tell of, only a few are resolved at once in a process. However many there are,
//! they leave connections to the database for requests, workers and whoever asks whether the server is ready.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turn of one subscription, which tells of one event after the other. Clones are the same one's; when the last is
/// dropped the turn ends.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    turns: Arc<Semaphore>,
    held: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Turn {
    /// It has not come yet.
    pub fn of(turns: Arc<Semaphore>) -> Self {
        Self { turns, held: Arc::default() }
    }

    /// Waits until it has come. It lasts until it is ended.
    pub async fn begin(&self) {
        if self.held().is_some() {
            return;
        }
        // The semaphore is never closed; without a turn the event would still be right, only less polite.
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok();
        *self.held() = turn;
    }

    /// Others have theirs now.
    pub fn end(&self) {
        self.held().take();
    }

    fn held(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        // Nothing in here can be half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
