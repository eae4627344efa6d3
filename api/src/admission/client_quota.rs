//! Who asks, however many connections they open: a token. While none is needed nobody can be told from others, and each
//! connection is a caller of its own. What one caller has under way leaves room for the others.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::queue_limit::{Full, Gate};
use crate::graphql::State;

/// How many tokens are remembered, those heard of last.
const KNOWN: NonZeroUsize = NonZeroUsize::new(1_000).expect("not zero");
/// The bytes of bodies that one caller sends at once, or of one body where it may be larger.
const BODIES: usize = 16 * 1024 * 1024;

/// What one caller may have under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    queries: usize,
    /// Its mutations; and its queries that wait for others of its own.
    requests: usize,
    locks: usize,
    patience: Duration,
    bodies: usize,
}

impl Allowance {
    pub(crate) fn of(state: &State) -> Self {
        let limits = state.limits();
        Self {
            queries: state.queries_of_one_client(),
            requests: limits.requests,
            locks: state.changes_of_one_client(),
            patience: limits.query_time,
            bodies: BODIES.max(limits.body).min(Semaphore::MAX_PERMITS),
        }
    }
}

/// Somebody who asks.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) queries: Gate,
    /// Half of all that are executed.
    pub(crate) mutations: Gate,
    /// Those of its changes that may wait for locks.
    pub(crate) locks: Arc<Semaphore>,
    /// The bytes of bodies that may still be sent.
    bodies: Arc<Semaphore>,
}

impl Caller {
    pub(crate) fn new(allowance: Allowance) -> Self {
        let Allowance { queries, requests, locks, patience, bodies } = allowance;
        Self {
            queries: Gate::patient(queries, requests, patience),
            mutations: Gate::new(requests.div_ceil(2)),
            locks: Arc::new(Semaphore::new(locks)),
            bodies: Arc::new(Semaphore::new(bodies)),
        }
    }

    /// Lets a body of so many bytes be sent, until what is returned is dropped.
    pub(crate) fn send(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Full> {
        let bytes = u32::try_from(bytes).map_err(|_| Full)?;
        Arc::clone(&self.bodies).try_acquire_many_owned(bytes).map_err(|_| Full)
    }
}

/// The callers that have tokens, by these tokens' names.
#[derive(Debug, Clone)]
pub(crate) struct Callers {
    allowance: Allowance,
    known: Arc<Mutex<LruCache<String, Arc<Caller>>>>,
}

impl Callers {
    pub(crate) fn new(allowance: Allowance) -> Self {
        Self { allowance, known: Arc::new(Mutex::new(LruCache::new(KNOWN))) }
    }

    pub(crate) fn of(&self, name: &str) -> Arc<Caller> {
        // Nothing in here can be half done.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.get_or_insert_ref(name, || Arc::new(Caller::new(self.allowance))))
    }
}
