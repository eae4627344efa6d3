//! Counts of the schedule's ticks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use prometheus::{IntCounterVec, Opts, Registry};

use super::collector::{gauge, register};

/// The ticks that this process has seen.
#[derive(Debug, Default)]
pub(super) struct ScheduleTicks {
    by_outcome: [AtomicU64; Tick::ALL.len()],
    /// The time of the last tick in seconds since 1970; 0 before the first one.
    last: AtomicI64,
}

/// The outcome of a tick of the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// A run was started.
    Started,
    /// Another process had started the run.
    StartedElsewhere,
    /// The run of an earlier tick was still under way.
    UnderWay,
    /// No session was to be deleted.
    NothingToDo,
    /// The run would have deleted more rows than the ceiling.
    OverCeiling,
    /// The tick failed, or the run was refused for another reason.
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

impl ScheduleTicks {
    pub(super) fn count(&self, moment: DateTime<Utc>, tick: Tick) {
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
