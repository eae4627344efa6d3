//! The metrics of a process, and their encoding in the text format of Prometheus.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use prometheus::{IntGaugeVec, Opts, Registry, TextEncoder};

use super::collector::{register, register_gauge};
use super::database_gauges::DatabaseCounts;
use super::gauge_cache::GaugeCache;
use super::requests::Requests;
use super::schedule_ticks::{ScheduleTicks, Tick};
use crate::db::Database;
use crate::error::Error;
use crate::schema_health::AcceptedFindings;

/// The media type of the text that [`Metrics::render`] returns.
pub const FORMAT: &str = prometheus::TEXT_FORMAT;

/// The metrics of this process. Clones share the same metrics.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ticks: ScheduleTicks,
    requests: Requests,
    database: GaugeCache,
}

impl Metrics {
    /// Records the outcome of the schedule's tick at the given time.
    pub fn record_tick(&self, time: DateTime<Utc>, tick: Tick) {
        self.0.ticks.record(time, tick);
    }

    /// Returns the metrics of requests, operations and sockets.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.0.requests
    }

    /// Returns all metrics in the text format of Prometheus. The metrics of the database are counted at most once a
    /// minute, and are omitted while the database is unavailable.
    ///
    /// # Errors
    /// [`Error::IncompatibleDatabase`] if a metric cannot be registered or encoded, for example because of an invalid
    /// name.
    pub async fn render(&self, db: &Database, accepted: &Arc<AcceptedFindings>) -> Result<String, Error> {
        let counts = self.0.database.load_cached(db, accepted).await;
        self.encode(db, counts.as_deref())
            .map_err(|defect| Error::IncompatibleDatabase(format!("The metrics cannot be written: {defect}.")))
    }

    fn encode(&self, db: &Database, counts: Option<&DatabaseCounts>) -> prometheus::Result<String> {
        let registry = Registry::new_custom(Some("session_admin".to_owned()), None)?;
        self.0.ticks.register(&registry)?;
        self.0.requests.register(&registry)?;
        register_pool(db, &registry)?;
        if let Some(counts) = counts {
            counts.register(&registry)?;
        }
        TextEncoder::new().encode_to_string(&registry.gather())
    }
}

/// Registers the metrics of the connection pool that serves requests.
fn register_pool(db: &Database, registry: &Registry) -> prometheus::Result<()> {
    let (open, idle) = db.connection_counts();
    let help = "This process's connections to the database, without the queue's two.";
    let connections = register(registry, IntGaugeVec::new(Opts::new("pool_connections", help), &["state"])?)?;
    connections.with_label_values(&["idle"]).set(i64::from(idle));
    connections.with_label_values(&["in_use"]).set(i64::from(open.saturating_sub(idle)));
    let help = "The maximum number of these connections (--max-connections).";
    register_gauge(registry, "pool_connections_max", help, db.settings().max_connections.into())
}
