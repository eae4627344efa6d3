//! The counts and durations of requests and operations.
//!
//! Every label value comes from a fixed set, so a client cannot create new time series by inventing names.

use std::time::{Duration, Instant};

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};

/// The bucket bounds of the histograms, in seconds. A list takes milliseconds, the deletion of a large session takes
/// seconds.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

/// The metrics of requests, operations and sockets.
#[derive(Debug)]
pub struct Requests {
    http: IntCounterVec,
    http_duration: HistogramVec,
    operations: IntCounterVec,
    operation_duration: HistogramVec,
    sockets: IntGauge,
}

impl Default for Requests {
    fn default() -> Self {
        Self::new().expect("the names of the metrics are well formed")
    }
}

impl Requests {
    fn new() -> prometheus::Result<Self> {
        let histogram = |name: &str, help: &str, labels: &[&str]| {
            HistogramVec::new(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()), labels)
        };
        Ok(Self {
            http: IntCounterVec::new(
                Opts::new("http_requests_total", "HTTP requests that were answered, by route, method and status."),
                &["route", "method", "status"],
            )?,
            http_duration: histogram("http_request_duration_seconds", "Duration of HTTP requests.", &["route"])?,
            operations: IntCounterVec::new(
                Opts::new(
                    "operations_total",
                    "GraphQL operations that have ended, by kind, field and the code of their first error, or OK.",
                ),
                &["kind", "field", "code"],
            )?,
            operation_duration: histogram(
                "operation_duration_seconds",
                "Duration of queries and mutations, over HTTP and WebSockets.",
                &["kind", "field"],
            )?,
            sockets: IntGauge::new("sockets", "WebSockets that are open.")?,
        })
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.http.clone()))?;
        registry.register(Box::new(self.http_duration.clone()))?;
        registry.register(Box::new(self.operations.clone()))?;
        registry.register(Box::new(self.operation_duration.clone()))?;
        registry.register(Box::new(self.sockets.clone()))
    }

    /// Records an HTTP response and its duration. `route` has to be one of the router's paths.
    pub fn record_response(&self, route: &str, method: &str, status: u16, duration: Duration) {
        self.http.with_label_values(&[route, method, &status.to_string()]).inc();
        self.http_duration.with_label_values(&[route]).observe(duration.as_secs_f64());
    }

    /// Starts an operation, which is counted when the returned guard is dropped.
    #[must_use]
    pub fn operation(&self, kind: &'static str, field: &'static str) -> OperationGuard {
        // The duration of a subscription depends on its client. A subscription ends with OK unless an error is
        // recorded.
        let (duration, code) = match kind {
            "subscription" => (None, "OK".to_owned()),
            _ => (Some(self.operation_duration.with_label_values(&[kind, field])), "GIVEN_UP".to_owned()),
        };
        OperationGuard { operations: self.operations.clone(), duration, started_at: Instant::now(), kind, field, code }
    }

    /// Counts an open socket until the returned guard is dropped.
    #[must_use]
    pub fn socket(&self) -> OpenSocket {
        self.sockets.inc();
        OpenSocket(self.sockets.clone())
    }
}

/// A GraphQL operation in progress, which is counted when this guard is dropped.
#[derive(Debug)]
pub struct OperationGuard {
    operations: IntCounterVec,
    duration: Option<prometheus::Histogram>,
    started_at: Instant,
    kind: &'static str,
    field: &'static str,
    code: String,
}

impl OperationGuard {
    /// Sets the code with which the operation ends. A query or mutation without a code is counted as `GIVEN_UP`: it
    /// timed out, or its client disconnected.
    pub fn set_outcome(&mut self, code: &str) {
        code.clone_into(&mut self.code);
    }
}

impl Drop for OperationGuard {
    fn drop(&mut self) {
        self.operations.with_label_values(&[self.kind, self.field, &self.code]).inc();
        if let Some(duration) = &self.duration {
            duration.observe(self.started_at.elapsed().as_secs_f64());
        }
    }
}

/// An open socket, which is counted until this guard is dropped.
#[derive(Debug)]
pub struct OpenSocket(IntGauge);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.dec();
    }
}
