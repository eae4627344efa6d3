//! The permit that the limits of this folder hand out.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permission to use a limited resource, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    /// None only where the semaphore was closed, which no semaphore of this folder ever is: a request without its permit
    /// would still be answered correctly.
    semaphore_permit: Option<OwnedSemaphorePermit>,
}

impl Permit {
    /// Waits for a permit of this semaphore.
    pub(super) async fn acquire(semaphore: &Arc<Semaphore>) -> Self {
        Self { semaphore_permit: Arc::clone(semaphore).acquire_owned().await.ok() }
    }

    /// Returns a permit if one is free now.
    pub(super) fn try_acquire(semaphore: &Arc<Semaphore>) -> Option<Self> {
        Self::try_acquire_many(semaphore, 1)
    }

    /// Returns one permit that counts as `count`, if so many are free now.
    pub(super) fn try_acquire_many(semaphore: &Arc<Semaphore>, count: u32) -> Option<Self> {
        let permit = Arc::clone(semaphore).try_acquire_many_owned(count).ok()?;
        Some(Self { semaphore_permit: Some(permit) })
    }

    /// Makes one permit of two of the same semaphore.
    pub(crate) fn merge(&mut self, other: Self) {
        match (&mut self.semaphore_permit, other.semaphore_permit) {
            (Some(own), Some(other)) => own.merge(other),
            (own, other) => *own = own.take().or(other),
        }
    }
}
