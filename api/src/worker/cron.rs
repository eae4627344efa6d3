//! The schedule of cleanups, at the times of a cron expression.

use apalis_cron::timezone::Utc as TimeZone;
use apalis_cron::{CronScheduler, Schedule, Tick as CronTick};
use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use futures_util::StreamExt as _;

use crate::cleanup::{CleanupRun, ScheduledCleanup, SkippedSession, TickOutcome};
use crate::clock::Clock;
use crate::db::Database;
use crate::error::Error;
use crate::metrics::{Metrics, Tick};
use crate::refusal::RefusalCode;

/// The delay after which a tick counts as missed, because the process was suspended or the machine was asleep.
const MAX_DELAY: TimeDelta = TimeDelta::minutes(1);

/// The times of a schedule, in UTC.
#[derive(Debug, Clone)]
pub struct CronTimes {
    cron: Cron,
    clock: Clock,
}

impl CronTimes {
    /// Parses an expression as in cron(5): minute, hour, day of the month, month, day of the week.
    ///
    /// # Errors
    /// [`Error::BadInput`] for an invalid expression, or for one that matches no time in the future.
    pub fn read(expression: &str, clock: Clock) -> Result<Self, Error> {
        let invalid = |reason: String| {
            Error::BadInput(format!(
                "--cleanup-schedule (SESSION_ADMIN_CLEANUP_SCHEDULE) is {expression:?}: {reason}. It must have five \
                 fields, in UTC: minute, hour, day of the month, month, day of the week. `0 3 * * *` is every day at \
                 03:00."
            ))
        };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron =
            parser.parse(expression).map_err(|error| invalid(error.to_string().trim_end_matches('.').to_owned()))?;
        let times = Self { cron, clock };
        if times.next().is_none() { Err(invalid("that time never comes".to_owned())) } else { Ok(times) }
    }

    /// Returns the next time of the schedule after the current time.
    #[must_use]
    pub fn next(&self) -> Option<DateTime<Utc>> {
        self.cron.find_next_occurrence(&self.clock.now(), false).ok()
    }
}

impl Schedule<TimeZone> for CronTimes {
    fn next_tick(&mut self, _: &TimeZone) -> Option<CronTick> {
        self.next().and_then(|time| time.timestamp().try_into().ok()).map(CronTick::new)
    }
}

/// Starts a cleanup at each time of a schedule, until the future is dropped, and calls `on_started` with each run. A
/// missed tick is skipped.
pub async fn run_schedule<Started>(
    db: Database,
    plan: ScheduledCleanup,
    times: CronTimes,
    metrics: Metrics,
    on_started: impl Fn(CleanupRun) -> Started,
) where
    Started: Future<Output = ()>,
{
    let next = times.next().map(|next| next.to_string()).unwrap_or_default();
    tracing::info!(target: "session_admin::worker", schedule = %times.cron, next, %plan, "stale sessions are cleaned up by the schedule");
    let mut ticks = Box::pin(CronScheduler::new(times.clone()).into_stream());
    while let Some(tick) = ticks.next().await {
        let Some(due_at) = tick.ok().and_then(tick_time) else {
            // After a missed tick, the scheduler would return only missed ticks, so it is replaced.
            tracing::warn!(target: "session_admin::worker", "a tick of the schedule was missed and is skipped");
            ticks = Box::pin(CronScheduler::new(times.clone()).into_stream());
            continue;
        };
        if db.settings().clock.now() - due_at > MAX_DELAY {
            tracing::warn!(target: "session_admin::worker", %due_at, "a tick of the schedule was missed and is skipped");
            continue;
        }
        let outcome = plan.tick(&db, due_at).await;
        metrics.record_tick(due_at, log_outcome(due_at, &outcome));
        if let Ok(TickOutcome::Started(run)) = outcome {
            on_started(*run).await;
        }
    }
}

/// Returns the time of a tick, or `None` if it is out of range.
fn tick_time(tick: CronTick) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(tick.get_timestamp().try_into().ok()?, 0)
}

/// Logs the outcome of a tick, and returns it for the metrics.
fn log_outcome(due_at: DateTime<Utc>, outcome: &Result<TickOutcome, Error>) -> Tick {
    match outcome {
        Ok(TickOutcome::Started(run)) => {
            let sessions = run.sessions_to_go();
            tracing::info!(target: "session_admin::worker", %due_at, run = %run.id, sessions, "the schedule has started a cleanup");
            Tick::Started
        }
        Ok(TickOutcome::StartedElsewhere) => {
            tracing::info!(target: "session_admin::worker", %due_at, "another process has started the schedule's cleanup");
            Tick::StartedElsewhere
        }
        Ok(TickOutcome::UnderWay(run)) => {
            tracing::warn!(target: "session_admin::worker", %due_at, %run, "the schedule started no run: the run of an earlier tick is still in progress");
            Tick::UnderWay
        }
        Ok(TickOutcome::NothingToDo) => {
            tracing::info!(target: "session_admin::worker", %due_at, "the schedule found no stale session that is old enough");
            Tick::NothingToDo
        }
        Ok(TickOutcome::AllStay(skipped)) => {
            log_skipped(due_at, skipped);
            Tick::NothingToDo
        }
        Ok(TickOutcome::OverCeiling(refusal)) => {
            let reason = &refusal.message;
            tracing::warn!(target: "session_admin::worker", %due_at, reason, "the schedule started no run: raise --cleanup-at-most, or clean up by hand");
            Tick::OverCeiling
        }
        Ok(TickOutcome::Refused(refusals)) => {
            let reason = refusals.iter().map(|refusal| refusal.message.as_str()).collect::<Vec<_>>().join(" ");
            tracing::warn!(target: "session_admin::worker", %due_at, reason, "the schedule started no run");
            Tick::Failed
        }
        Err(error) => {
            tracing::warn!(target: "session_admin::worker", %due_at, error = error as &dyn std::error::Error, "the schedule's tick failed");
            Tick::Failed
        }
    }
}

/// Logs that all sessions are skipped. A session that is blocked by a foreign key is logged as a warning, since the
/// database refuses it at every tick.
fn log_skipped(due_at: DateTime<Utc>, skipped: &[SkippedSession]) {
    let sessions = skipped.len();
    let blocked = skipped.iter().find(|session| session.code == RefusalCode::BlockedByForeignKey);
    if let Some(SkippedSession { session_id, message, .. }) = blocked {
        let reason = "the schedule found no session that can be deleted; `session-admin doctor` shows what prevents it";
        tracing::warn!(target: "session_admin::worker", %due_at, sessions, session = %session_id, reason = message, "{reason}");
    } else if let Some(SkippedSession { session_id, message, .. }) = skipped.first() {
        tracing::info!(target: "session_admin::worker", %due_at, sessions, session = %session_id, reason = message, "the schedule found no session that may be deleted");
    }
}
