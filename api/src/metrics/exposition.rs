//! All numbers in the format that Prometheus reads.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use prometheus::{IntGaugeVec, Opts, Registry, TextEncoder};

use super::collector::{gauge, register};
use super::database_gauges::DatabaseCounts;
use super::gauge_cache::GaugeCache;
use super::requests::Requests;
use super::schedule_ticks::{ScheduleTicks, Tick};
use crate::db::Database;
use crate::error::Error;
use crate::schema_health::AcceptedFindings;

/// The media type of [`Metrics::text`].
pub const FORMAT: &str = prometheus::TEXT_FORMAT;

/// The metrics of this process. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ticks: ScheduleTicks,
    requests: Requests,
    database: GaugeCache,
}

impl Metrics {
    /// Counts a tick of the schedule.
    pub fn record_tick(&self, moment: DateTime<Utc>, tick: Tick) {
        self.0.ticks.count(moment, tick);
    }

    /// Returns the counts of requests, operations and sockets.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.0.requests
    }

    /// Returns all numbers in the format that Prometheus reads. Those of the database are counted once a minute at
    /// most, and left out while it is unavailable.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] for an invalid name of a metric.
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

/// Registers the connections to the database that requests use.
fn register_pool(db: &Database, registry: &Registry) -> prometheus::Result<()> {
    let (open, idle) = db.connection_counts();
    let help = "This process's connections to the database, but for the queue's two.";
    let connections = register(registry, IntGaugeVec::new(Opts::new("pool_connections", help), &["state"])?)?;
    connections.with_label_values(&["idle"]).set(i64::from(idle));
    connections.with_label_values(&["in_use"]).set(i64::from(open.saturating_sub(idle)));
    let help = "The most of them (--max-connections).";
    gauge(registry, "pool_connections_max", help, db.settings().max_connections.into())
}
