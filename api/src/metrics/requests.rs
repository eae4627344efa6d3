//! What this process is asked, and how long it takes. Every label is one of few words that this program knows: a client
//! that makes up names adds no line.

use std::time::{Duration, Instant};

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry};

/// In seconds: a list takes some milliseconds, the deletion of a large session some seconds.
const BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0];

/// The counts of requests, operations and sockets.
#[derive(Debug)]
pub struct Requests {
    http: IntCounterVec,
    http_took: HistogramVec,
    operations: IntCounterVec,
    operations_took: HistogramVec,
    sockets: IntGauge,
}

impl Default for Requests {
    fn default() -> Self {
        Self::new().expect("the names of the metrics are well formed")
    }
}

impl Requests {
    fn new() -> prometheus::Result<Self> {
        let took = |name: &str, help: &str, labels: &[&str]| {
            HistogramVec::new(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()), labels)
        };
        Ok(Self {
            http: IntCounterVec::new(
                Opts::new("http_requests_total", "HTTP requests that were answered, by route, method and status."),
                &["route", "method", "status"],
            )?,
            http_took: took("http_request_duration_seconds", "How long HTTP requests took.", &["route"])?,
            operations: IntCounterVec::new(
                Opts::new(
                    "operations_total",
                    "GraphQL operations that have ended, by kind, field and the code of their first error, or OK.",
                ),
                &["kind", "field", "code"],
            )?,
            operations_took: took(
                "operation_duration_seconds",
                "How long queries and mutations took, over HTTP and over sockets.",
                &["kind", "field"],
            )?,
            sockets: IntGauge::new("sockets", "WebSockets that are open.")?,
        })
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.http.clone()))?;
        registry.register(Box::new(self.http_took.clone()))?;
        registry.register(Box::new(self.operations.clone()))?;
        registry.register(Box::new(self.operations_took.clone()))?;
        registry.register(Box::new(self.sockets.clone()))
    }

    /// Counts a request that has been answered. `route` is one of the router's own.
    pub fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        self.http.with_label_values(&[route, method, &status.to_string()]).inc();
        self.http_took.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// An operation that begins; it is counted when what is given here is dropped.
    #[must_use]
    pub fn operation(&self, kind: &'static str, field: &'static str) -> Underway {
        // A subscription lasts as long as somebody listens, and ends well unless an error is seen.
        let (took, code) = match kind {
            "subscription" => (None, "OK".to_owned()),
            _ => (Some(self.operations_took.with_label_values(&[kind, field])), "GIVEN_UP".to_owned()),
        };
        Underway { operations: self.operations.clone(), took, began: Instant::now(), kind, field, code }
    }

    /// A socket that has been opened; it is counted until what is given here is dropped.
    #[must_use]
    pub fn socket(&self) -> OpenSocket {
        self.sockets.inc();
        OpenSocket(self.sockets.clone())
    }
}

/// An operation under way.
#[derive(Debug)]
pub struct Underway {
    operations: IntCounterVec,
    took: Option<prometheus::Histogram>,
    began: Instant,
    kind: &'static str,
    field: &'static str,
    code: String,
}

impl Underway {
    /// Notes with which code it ends. Nobody noting one means that it was given up: the time ran out, or the client left.
    pub fn ends(&mut self, code: &str) {
        code.clone_into(&mut self.code);
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.operations.with_label_values(&[self.kind, self.field, &self.code]).inc();
        if let Some(took) = &self.took {
            took.observe(self.began.elapsed().as_secs_f64());
        }
    }
}

/// A socket that is open.
#[derive(Debug)]
pub struct OpenSocket(IntGauge);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.dec();
    }
}
