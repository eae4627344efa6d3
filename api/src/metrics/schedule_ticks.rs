//! The metrics of the cleanup schedule's ticks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use prometheus::{IntCounterVec, Opts, Registry};

use super::collector::{register, register_gauge};

/// The numbers of ticks in this process, and the time of the last one.
#[derive(Debug, Default)]
pub(super) struct ScheduleTicks {
    /// The number of ticks per outcome, indexed by [`Tick`].
    by_outcome: [AtomicU64; Tick::ALL.len()],
    /// The time of the last tick, in seconds since 1970; 0 before the first tick.
    last: AtomicI64,
}

/// The outcome of a tick of the cleanup schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// A run was started.
    Started,
    /// Another process had started the run.
    StartedElsewhere,
    /// The run of an earlier tick was still in progress.
    UnderWay,
    /// No session could be deleted.
    NothingToDo,
    /// The run would have deleted more rows than the limit.
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
    pub(super) fn record(&self, time: DateTime<Utc>, tick: Tick) {
        self.by_outcome[tick as usize].fetch_add(1, Ordering::Relaxed);
        self.last.store(time.timestamp(), Ordering::Relaxed);
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        let help = "Ticks of the schedule in this process, by outcome.";
        let ticks = register(registry, IntCounterVec::new(Opts::new("schedule_ticks_total", help), &["outcome"])?)?;
        for tick in Tick::ALL {
            ticks.with_label_values(&[tick.label()]).inc_by(self.by_outcome[tick as usize].load(Ordering::Relaxed));
        }
        let help = "The time of the schedule's last tick in this process, in seconds since 1970; absent before the \
                    first.";
        match self.last.load(Ordering::Relaxed) {
            0 => Ok(()),
            last => register_gauge(registry, "schedule_last_tick_timestamp_seconds", help, last),
        }
    }
}
