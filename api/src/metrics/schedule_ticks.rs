//! What the schedule has done.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use prometheus::{IntCounterVec, Opts, Registry};

use super::collector::{gauge, register};

#[derive(Debug, Default)]
pub(super) struct Ticks {
    by_outcome: [AtomicU64; Tick::ALL.len()],
    /// In seconds since 1970; 0 before the first one.
    last: AtomicI64,
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

impl Ticks {
    pub(super) fn ticked(&self, moment: DateTime<Utc>, tick: Tick) {
        self.by_outcome[tick as usize].fetch_add(1, Ordering::Relaxed);
        self.last.store(moment.timestamp(), Ordering::Relaxed);
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        let help = "Ticks of the schedule that this process has seen, by what came of them.";
        let ticks = register(registry, IntCounterVec::new(Opts::new("schedule_ticks_total", help), &["outcome"])?)?;
        for tick in Tick::ALL {
            ticks.with_label_values(&[tick.label()]).inc_by(self.by_outcome[tick as usize].load(Ordering::Relaxed));
        }
        let help = "When this process saw the schedule's last tick, in seconds since 1970; none before the first.";
        match self.last.load(Ordering::Relaxed) {
            0 => Ok(()),
            last => gauge(registry, "schedule_last_tick_timestamp_seconds", help, last),
        }
    }
}
