//! A circuit breaker for a gateway that does not answer.
//!
//! The circuit opens after as many consecutive timeouts as queries may run concurrently. For a few seconds, further
//! queries then fail immediately instead of each waiting for its timeout. This applies only to queries for display:
//! before a deletion, every session is queried.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::client::ProbeResult;
use super::model::GatewaySessionState;

/// How long the circuit stays open after the last timeout.
const OPEN_FOR: Duration = Duration::from_secs(5);

/// A counter of consecutive timeouts that opens the circuit at a limit.
#[derive(Debug)]
pub(super) struct CircuitBreaker {
    limit: usize,
    timeouts: Mutex<Timeouts>,
}

/// Consecutive timeouts.
#[derive(Debug, Default)]
struct Timeouts {
    count: usize,
    last: Option<Instant>,
}

impl CircuitBreaker {
    /// Returns a closed circuit that opens after `limit` consecutive timeouts.
    pub fn new(limit: usize) -> Self {
        Self { limit, timeouts: Mutex::default() }
    }

    /// Returns whether the circuit is open: a query would probably time out.
    pub fn is_open(&self) -> bool {
        let timeouts = self.timeouts.lock().unwrap_or_else(PoisonError::into_inner);
        timeouts.count >= self.limit && timeouts.last.is_some_and(|last| last.elapsed() < OPEN_FOR)
    }

    /// Returns the result of a query that was skipped because the circuit is open.
    pub fn skipped_result(&self) -> ProbeResult {
        let detail = format!(
            "The gateway did not answer the last {} requests in time, so no request was sent. Try again in a few \
             seconds.",
            self.limit
        );
        ProbeResult { state: GatewaySessionState::Unreachable, detail: Some(detail), in_time: None }
    }

    /// Records whether a query was answered in time. `None` stands for a skipped query, and changes nothing.
    pub fn record(&self, in_time: Option<bool>) {
        let mut timeouts = self.timeouts.lock().unwrap_or_else(PoisonError::into_inner);
        match in_time {
            Some(true) => *timeouts = Timeouts::default(),
            Some(false) => *timeouts = Timeouts { count: timeouts.count + 1, last: Some(Instant::now()) },
            None => {}
        }
    }
}
