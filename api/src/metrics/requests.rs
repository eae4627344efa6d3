//! Counts and durations of requests and operations. Every label is one of a few words that this program knows, so a
//! client cannot add lines by inventing names.

use std::time::{Duration, Instant};

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};

/// The bounds of the histograms in seconds: a list takes some milliseconds, the deletion of a large session some
/// seconds.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

/// The counts of requests, operations and sockets.
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
            http_duration: histogram("http_request_duration_seconds", "How long HTTP requests took.", &["route"])?,
            operations: IntCounterVec::new(
                Opts::new(
                    "operations_total",
                    "GraphQL operations that have ended, by kind, field and the code of their first error, or OK.",
                ),
                &["kind", "field", "code"],
            )?,
            operation_duration: histogram(
                "operation_duration_seconds",
                "How long queries and mutations took, over HTTP and over sockets.",
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

    /// Counts an HTTP request that has been answered. `route` is one of the router's own.
    pub fn record_response(&self, route: &str, method: &str, status: u16, duration: Duration) {
        self.http.with_label_values(&[route, method, &status.to_string()]).inc();
        self.http_duration.with_label_values(&[route]).observe(duration.as_secs_f64());
    }

    /// Begins an operation. It is counted when the returned guard is dropped.
    #[must_use]
    pub fn operation(&self, kind: &'static str, field: &'static str) -> OperationGuard {
        // A subscription lasts as long as its client listens, and ends with OK unless an error is recorded.
        let (duration, code) = match kind {
            "subscription" => (None, "OK".to_owned()),
            _ => (Some(self.operation_duration.with_label_values(&[kind, field])), "GIVEN_UP".to_owned()),
        };
        OperationGuard { operations: self.operations.clone(), duration, began: Instant::now(), kind, field, code }
    }

    /// Counts an open socket until the returned guard is dropped.
    #[must_use]
    pub fn socket(&self) -> OpenSocket {
        self.sockets.inc();
        OpenSocket(self.sockets.clone())
    }
}

/// An operation under way, which is counted when it is dropped.
#[derive(Debug)]
pub struct OperationGuard {
    operations: IntCounterVec,
    duration: Option<prometheus::Histogram>,
    began: Instant,
    kind: &'static str,
    field: &'static str,
    code: String,
}

impl OperationGuard {
    /// Records the code with which the operation ends. Without one it counts as given up: its time ran out, or its
    /// client left.
    pub fn set_outcome(&mut self, code: &str) {
        code.clone_into(&mut self.code);
    }
}

impl Drop for OperationGuard {
    fn drop(&mut self) {
        self.operations.with_label_values(&[self.kind, self.field, &self.code]).inc();
        if let Some(duration) = &self.duration {
            duration.observe(self.began.elapsed().as_secs_f64());
        }
    }
}

/// An open socket, which is counted until it is dropped.
#[derive(Debug)]
pub struct OpenSocket(IntGauge);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.dec();
    }
}
