//! All numbers in the format that Prometheus reads.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use prometheus::{IntGaugeVec, Opts, Registry, TextEncoder};

use super::collector::{gauge, register};
use super::database_gauges::Stored;
use super::gauge_cache::Counted;
use super::requests::Requests;
use super::schedule_ticks::{Tick, Ticks};
use crate::db::Database;
use crate::error::Error;
use crate::schema_health::Accepted;

/// The media type of [`Metrics::text`].
pub const FORMAT: &str = prometheus::TEXT_FORMAT;

/// What this process has done. Cloning it is cheap.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ticks: Ticks,
    requests: Requests,
    counted: Counted,
}

impl Metrics {
    /// Counts a tick of the schedule.
    pub fn ticked(&self, moment: DateTime<Utc>, tick: Tick) {
        self.0.ticks.ticked(moment, tick);
    }

    /// What HTTP and GraphQL are asked.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.0.requests
    }

    /// All numbers as Prometheus reads them. What is in the database is counted once a minute at most; while it does not
    /// answer, that is left out.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] for a defect in the names.
    pub async fn text(&self, db: &Database, accepted: &Arc<Accepted>) -> Result<String, Error> {
        let stored = self.0.counted.recent(db, accepted).await;
        self.encode(db, stored.as_deref())
            .map_err(|defect| Error::Unsuitable(format!("The metrics cannot be written: {defect}.")))
    }

    fn encode(&self, db: &Database, stored: Option<&Stored>) -> prometheus::Result<String> {
        let registry = Registry::new_custom(Some("session_admin".to_owned()), None)?;
        self.0.ticks.register(&registry)?;
        self.0.requests.register(&registry)?;
        pool(db, &registry)?;
        if let Some(stored) = stored {
            stored.register(&registry)?;
        }
        TextEncoder::new().encode_to_string(&registry.gather())
    }
}

/// The connections to the database that requests use.
fn pool(db: &Database, registry: &Registry) -> prometheus::Result<()> {
    let (open, idle) = db.connections();
    let help = "This process's connections to the database, but for the queue's two.";
    let connections = register(registry, IntGaugeVec::new(Opts::new("pool_connections", help), &["state"])?)?;
    connections.with_label_values(&["idle"]).set(i64::from(idle));
    connections.with_label_values(&["in_use"]).set(i64::from(open.saturating_sub(idle)));
    let help = "The most of them (--max-connections).";
    gauge(registry, "pool_connections_max", help, db.settings().max_connections.into())
}
