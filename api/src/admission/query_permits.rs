//! How many connections to the database one query uses at once. Each query has its turn among those that are executed in a
//! process, which is good for one connection. It takes further turns while there are some, to read beside one another what
//! can be read so; otherwise it reads one thing after the other. So however many fields a query has, and however many
//! queries there are, connections are left for deletions, workers and whoever asks whether the server is ready.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// What one request has of the connections.
#[derive(Debug)]
pub(crate) struct Share {
    /// The turns of the process.
    turns: Arc<Semaphore>,
    _own: Option<OwnedSemaphorePermit>,
    /// A field at the root holds its place while it waits for what its nodes read, so these have one of their own.
    field: Semaphore,
    read: Semaphore,
}

/// Leave to use a connection, until it is dropped.
#[derive(Debug)]
pub(crate) enum Place<'a> {
    Own { _place: Option<SemaphorePermit<'a>> },
    Further { _turn: OwnedSemaphorePermit },
}

impl Share {
    /// Waits for the request's turn.
    pub async fn of_query(turns: Arc<Semaphore>) -> Self {
        // The semaphore is never closed; without a turn the answer would still be right, only less polite.
        let own = Arc::clone(&turns).acquire_owned().await.ok();
        Self { turns, _own: own, field: Semaphore::new(1), read: Semaphore::new(1) }
    }

    /// A mutation takes its turn among those who wait for locks. It reads one thing after the other.
    pub fn of_mutation() -> Self {
        Self { turns: Arc::new(Semaphore::new(0)), _own: None, field: Semaphore::new(1), read: Semaphore::new(1) }
    }

    /// Waits until a field at the root may be resolved.
    pub async fn field(&self) -> Place<'_> {
        self.place(&self.field).await
    }

    /// Waits until something within a field may be read.
    pub async fn read(&self) -> Place<'_> {
        self.place(&self.read).await
    }

    async fn place<'a>(&'a self, own: &'a Semaphore) -> Place<'a> {
        if let Ok(place) = own.try_acquire() {
            return Place::Own { _place: Some(place) };
        }
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            return Place::Further { _turn: turn };
        }
        Place::Own { _place: own.acquire().await.ok() }
    }
}
