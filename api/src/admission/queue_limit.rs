//! How many requests are executed at once. The next ones wait a moment, and not too many of them; whoever comes then is told
//! to come again, which costs less than to let everybody wait for ever.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a request waits for its place, unless it is said.
const PATIENCE: Duration = Duration::from_secs(1);

/// The gate before what is executed.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    places: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    patience: Duration,
}

/// There is no place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Full;

impl Gate {
    /// As many wait as have a place.
    pub(crate) fn new(places: usize) -> Self {
        Self::patient(places, places, PATIENCE)
    }

    /// So many wait, for as long as this.
    pub(crate) fn patient(places: usize, waiting: usize, patience: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), waiting: Arc::new(Semaphore::new(waiting)), patience }
    }

    /// Takes a place, until what is returned is dropped.
    pub(crate) async fn enter(&self) -> Result<OwnedSemaphorePermit, Full> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = self.waiting.try_acquire().map_err(|_| Full)?;
        let place = tokio::time::timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await;
        place.map_err(|_| Full)?.map_err(|_| Full)
    }
}
