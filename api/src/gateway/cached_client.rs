//! Queries about sessions, with a cache, a limit of concurrent queries and a circuit breaker.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use moka::future::Cache;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::circuit_breaker::CircuitBreaker;
use super::client::{Client, ProbeResult};
use super::model::GatewayState;
use super::settings::GatewaySettings;
use crate::clock::Clock;
use crate::error::Error;

/// The most sessions whose answers are cached.
const CACHE_CAPACITY: u64 = 10_000;

/// Queries the gateway about each of these sessions, even while the circuit is open. This is for deletions. Without a
/// gateway it returns nothing.
pub async fn query_all(gateway: Option<&Gateway>, sessions: &[Uuid]) -> HashMap<Uuid, GatewayState> {
    match gateway {
        Some(gateway) => gateway.query_all(sessions).await,
        None => HashMap::new(),
    }
}

/// Queries the gateway about these sessions, except while the circuit is open. This is for display. Without a gateway
/// it returns nothing.
pub async fn query_if_available_each(gateway: Option<&Gateway>, sessions: &[Uuid]) -> HashMap<Uuid, GatewayState> {
    match gateway {
        Some(gateway) => gateway.query_if_available_each(sessions).await,
        None => HashMap::new(),
    }
}

/// A configured gateway. Clones share the cache, the limit of concurrent queries and the circuit breaker.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    clock: Clock,
    /// Recent answers. A second query about a session waits for the answer to the first.
    cache: Cache<Uuid, GatewayState>,
    concurrency: usize,
    permits: Semaphore,
    circuit_breaker: CircuitBreaker,
}

impl Gateway {
    /// Creates a client without connecting.
    ///
    /// # Errors
    /// [`Error::Io`] if this machine's certificates or its TLS cannot be used.
    pub fn new(settings: GatewaySettings, clock: Clock) -> Result<Self, Error> {
        let cache = Cache::builder().max_capacity(CACHE_CAPACITY).time_to_live(settings.cache_ttl).build();
        let concurrency = settings.max_concurrency.max(1);
        let client = Client::new(settings)?;
        let circuit_breaker = CircuitBreaker::new(concurrency);
        let permits = Semaphore::new(concurrency);
        Ok(Self(Arc::new(Inner { client, clock, cache, concurrency, permits, circuit_breaker })))
    }

    /// Returns the state of one session, cached or queried.
    pub async fn query_if_available(&self, session: Uuid) -> GatewayState {
        self.0.cache.get_with(session, self.query_uncached(session)).await
    }

    /// Returns the states of many sessions, cached or queried concurrently.
    pub async fn query_if_available_each(&self, sessions: &[Uuid]) -> HashMap<Uuid, GatewayState> {
        let queries = sessions.iter().copied().map(|session| {
            let gateway = self.clone();
            async move { (session, gateway.query_if_available(session).await) }
        });
        stream::iter(queries).buffer_unordered(self.0.concurrency).collect().await
    }

    /// Returns the states of many sessions, and queries those again that the circuit breaker left out.
    async fn query_all(&self, sessions: &[Uuid]) -> HashMap<Uuid, GatewayState> {
        let mut states = self.query_if_available_each(sessions).await;
        let skipped: Vec<Uuid> =
            states.iter().filter(|(_, state)| !state.was_queried).map(|(session, _)| *session).collect();
        let queries = skipped.into_iter().map(|session| async move {
            let state = self.query(session, false).await;
            self.0.cache.insert(session, state.clone()).await;
            (session, state)
        });
        states.extend(stream::iter(queries).buffer_unordered(self.0.concurrency).collect::<Vec<_>>().await);
        states
    }

    async fn query_uncached(&self, session: Uuid) -> GatewayState {
        self.query(session, true).await
    }

    /// Queries the gateway; if `respect_circuit`, only while the circuit is closed.
    async fn query(&self, session: Uuid, respect_circuit: bool) -> GatewayState {
        let Inner { client, clock, permits, circuit_breaker, .. } = &*self.0;
        // The semaphore is never closed; without a permit the answer would still be right.
        let _permit = permits.acquire().await;
        let result = if respect_circuit && circuit_breaker.is_open() {
            circuit_breaker.skipped_result()
        } else {
            client.query(session).await
        };
        circuit_breaker.record(result.in_time);
        let ProbeResult { state, detail, in_time } = result;
        if let Some(detail) = &detail {
            tracing::debug!(target: "session_admin::gateway", %session, state = state.as_str(), detail, "queried the gateway");
        }
        GatewayState { state, checked_at: clock.now(), detail, was_queried: in_time.is_some() }
    }
}
