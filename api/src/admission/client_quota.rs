//! What one client may have in progress, so that it leaves room for the others.
//!
//! A client is an access token, however many connections it uses. While no token is required, callers cannot be
//! distinguished, and each connection is a separate client.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::sync::Semaphore;

use super::connection_budget::ConnectionBudget;
use super::permit::Permit;
use super::queue_limit::{Overloaded, QueueLimit};
use crate::limits::Limits;

/// The most tokens whose quotas are remembered; the token that was used longest ago makes room.
const MAX_TOKENS: NonZeroUsize = NonZeroUsize::new(1_000).expect("not zero");
/// The bytes of bodies that one client sends at once, unless one body may be larger.
const BODY_BYTES: usize = 16 * 1024 * 1024;

/// The sizes of every client's quota.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClientLimits {
    queries: usize,
    /// The most requests in progress. Half of them may be mutations; as many queries may wait for others of the client.
    requests: usize,
    locks: usize,
    query_timeout: Duration,
    body_bytes: usize,
}

impl ClientLimits {
    /// Derives them from the server's limits and its division of the database pool.
    pub(crate) fn new(limits: &Limits, budget: &ConnectionBudget) -> Self {
        Self {
            queries: budget.queries_per_client(),
            requests: limits.requests,
            locks: budget.mutations_per_client(),
            query_timeout: limits.query_timeout,
            body_bytes: BODY_BYTES.max(limits.max_body).min(Semaphore::MAX_PERMITS),
        }
    }
}

/// What one client may still have in progress.
#[derive(Debug)]
pub(crate) struct ClientQuota {
    pub(crate) queries: QueueLimit,
    pub(crate) mutations: QueueLimit,
    /// One permit for each of the client's mutations that may wait for locks.
    pub(crate) locks: Arc<Semaphore>,
    /// One permit for each byte of a body.
    body_bytes: Arc<Semaphore>,
}

impl ClientQuota {
    /// Creates the quota of a client that has nothing in progress.
    pub(crate) fn new(limits: ClientLimits) -> Self {
        let ClientLimits { queries, requests, locks, query_timeout, body_bytes } = limits;
        Self {
            queries: QueueLimit::with_queue(queries, requests, query_timeout),
            mutations: QueueLimit::new(requests.div_ceil(2)),
            locks: Arc::new(Semaphore::new(locks)),
            body_bytes: Arc::new(Semaphore::new(body_bytes)),
        }
    }

    /// Reserves so many bytes for a body that the client sends.
    ///
    /// # Errors
    /// [`Overloaded`] where the client's bodies in progress leave too few.
    pub(crate) fn reserve_body(&self, bytes: usize) -> Result<Permit, Overloaded> {
        let bytes = u32::try_from(bytes).map_err(|_| Overloaded)?;
        Permit::try_acquire_many(&self.body_bytes, bytes).ok_or(Overloaded)
    }
}

/// The quotas of the clients that have tokens, by the tokens' names.
#[derive(Debug, Clone)]
pub(crate) struct ClientQuotas {
    limits: ClientLimits,
    by_token: Arc<Mutex<LruCache<String, Arc<ClientQuota>>>>,
}

impl ClientQuotas {
    /// Creates quotas of these sizes for tokens that have nothing in progress.
    pub(crate) fn new(limits: ClientLimits) -> Self {
        Self { limits, by_token: Arc::new(Mutex::new(LruCache::new(MAX_TOKENS))) }
    }

    /// Returns the quota of the token with this name.
    pub(crate) fn for_token(&self, name: &str) -> Arc<ClientQuota> {
        // A panic leaves no entry half changed.
        let mut by_token = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(by_token.get_or_insert_ref(name, || Arc::new(ClientQuota::new(self.limits))))
    }
}
