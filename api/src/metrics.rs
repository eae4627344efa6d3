//! Numbers for those who watch the server: what this process has done, and what the database holds of it.
//!
//! Deletions and runs are counted in the database, not as they happen: no process that is killed takes a number with it,
//! and the command line's are among them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};
use serde_json::json;

use crate::cleanup;
use crate::db::Database;
use crate::deletion::trail;
use crate::error::Error;

/// The media type of [`Metrics::text`].
pub const FORMAT: &str = prometheus::TEXT_FORMAT;

/// What this process has done. Cloning it is cheap.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    ticks: [AtomicU64; Tick::ALL.len()],
    /// In seconds since 1970; 0 before the first one.
    last_tick: AtomicI64,
}

/// What came of a tick of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// A run was started.
    Started,
    /// Another process had started it.
    StartedElsewhere,
    /// The run of an earlier tick was still under way.
    UnderWay,
    /// There was nothing to do.
    NothingToDo,
    /// More rows than the ceiling would have gone.
    OverCeiling,
    /// An error, or another refusal.
    Failed,
}

impl Tick {
    const ALL: [Self; 6] =
        [Self::Started, Self::StartedElsewhere, Self::UnderWay, Self::NothingToDo, Self::OverCeiling, Self::Failed];

    const fn label(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::StartedElsewhere => "started_elsewhere",
            Self::UnderWay => "under_way",
            Self::NothingToDo => "nothing_to_do",
            Self::OverCeiling => "over_ceiling",
            Self::Failed => "failed",
        }
    }
}

impl Metrics {
    /// Counts a tick of the schedule.
    pub fn ticked(&self, moment: DateTime<Utc>, tick: Tick) {
        self.0.ticks[tick as usize].fetch_add(1, Ordering::Relaxed);
        self.0.last_tick.store(moment.timestamp(), Ordering::Relaxed);
    }

    /// All numbers as Prometheus reads them. While the database does not answer, its own are left out.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] for a defect in the names.
    pub async fn text(&self, db: &Database) -> Result<String, Error> {
        let stored = match Stored::read(db).await {
            Ok(stored) => Some(stored),
            Err(error) => {
                tracing::warn!(%error, "the metrics lack what is in the database");
                None
            }
        };
        self.encode(stored).map_err(|defect| Error::Unsuitable(format!("The metrics cannot be written: {defect}.")))
    }

    fn encode(&self, stored: Option<Stored>) -> prometheus::Result<String> {
        let registry = Registry::new_custom(Some("session_admin".to_owned()), None)?;
        let help = "Ticks of the schedule that this process has seen, by what came of them.";
        let ticks = counters(&registry, "schedule_ticks_total", help, "outcome")?;
        for tick in Tick::ALL {
            ticks.with_label_values(&[tick.label()]).inc_by(self.0.ticks[tick as usize].load(Ordering::Relaxed));
        }
        let last_tick = self.0.last_tick.load(Ordering::Relaxed);
        if last_tick > 0 {
            let help = "When this process saw the schedule's last tick, in seconds since 1970; none before the first.";
            let gauge = IntGauge::new("schedule_last_tick_timestamp_seconds", help)?;
            gauge.set(last_tick);
            registry.register(Box::new(gauge))?;
        }
        if let Some(stored) = stored {
            stored.register(&registry)?;
        }
        TextEncoder::new().encode_to_string(&registry.gather())
    }
}

/// What the database holds; the same from every process.
struct Stored {
    finished: Vec<(cleanup::RunStatus, u64)>,
    deletions: u64,
    rows_deleted: u64,
}

impl Stored {
    async fn read(db: &Database) -> Result<Self, Error> {
        let finished = cleanup::count_finished(db).await?;
        let (deletions, rows_deleted) = trail::totals(db).await?;
        Ok(Self { finished, deletions, rows_deleted })
    }

    fn register(self, registry: &Registry) -> prometheus::Result<()> {
        let help = "Cleanup runs in the database that have finished, by their status.";
        let runs = counters(registry, "cleanup_runs_finished_total", help, "status")?;
        for (status, count) in self.finished {
            let status = json!(status).as_str().unwrap_or_default().to_lowercase();
            runs.with_label_values(&[&status]).inc_by(count);
        }
        counter(registry, "deletions_total", "Deletions in the database's audit trail.", self.deletions)?;
        counter(registry, "rows_deleted_total", "Rows that these deletions took, over all tables.", self.rows_deleted)
    }
}

fn counters(registry: &Registry, name: &str, help: &str, label: &str) -> prometheus::Result<IntCounterVec> {
    let counters = IntCounterVec::new(Opts::new(name, help), &[label])?;
    registry.register(Box::new(counters.clone()))?;
    Ok(counters)
}

fn counter(registry: &Registry, name: &str, help: &str, count: u64) -> prometheus::Result<()> {
    let counter = IntCounter::new(name, help)?;
    counter.inc_by(count);
    registry.register(Box::new(counter))
}
