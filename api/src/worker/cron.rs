//! Scheduled cleanups, at the times of a cron expression.

use apalis_cron::timezone::Utc as TimeZone;
use apalis_cron::{CronScheduler, Schedule, Tick as CronTick};
use chrono::{DateTime, TimeDelta, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use futures_util::StreamExt as _;

use crate::cleanup::{CleanupRun, Plan, SkippedSession, Ticked};
use crate::clock::Clock;
use crate::db::Database;
use crate::error::Error;
use crate::metrics::{Metrics, Tick};
use crate::refusal::RefusalCode;

/// The delay after which a tick counts as missed: the process was stopped, or the machine was asleep.
const MAX_DELAY: TimeDelta = TimeDelta::minutes(1);

/// The times of a schedule, in UTC.
#[derive(Debug, Clone)]
pub struct Times {
    cron: Cron,
    clock: Clock,
}

impl Times {
    /// Parses an expression as in cron(5): minute, hour, day of the month, month, day of the week.
    ///
    /// # Errors
    /// [`Error::BadInput`] for anything else, or a time that never comes.
    pub fn read(expression: &str, clock: Clock) -> Result<Self, Error> {
        let invalid = |reason: String| {
            Error::BadInput(format!(
                "--cleanup-schedule (SESSION_ADMIN_CLEANUP_SCHEDULE) is {expression:?}: {reason}. It takes five fields, in \
                 UTC: minute, hour, day of the month, month, day of the week. `0 3 * * *` is every day at three."
            ))
        };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron =
            parser.parse(expression).map_err(|error| invalid(error.to_string().trim_end_matches('.').to_owned()))?;
        let times = Self { cron, clock };
        if times.next().is_none() { Err(invalid("that time never comes".to_owned())) } else { Ok(times) }
    }

    /// Returns the next time from now on.
    #[must_use]
    pub fn next(&self) -> Option<DateTime<Utc>> {
        self.cron.find_next_occurrence(&self.clock.now(), false).ok()
    }
}

impl Schedule<TimeZone> for Times {
    fn next_tick(&mut self, _: &TimeZone) -> Option<CronTick> {
        self.next().and_then(|moment| moment.timestamp().try_into().ok()).map(CronTick::new)
    }
}

/// Starts a cleanup at each time of a schedule, until the future is dropped, and calls `started` with each run. Missed
/// ticks are not made up for.
pub async fn keep<Started>(
    db: Database,
    plan: Plan,
    times: Times,
    metrics: Metrics,
    started: impl Fn(CleanupRun) -> Started,
) where
    Started: Future<Output = ()>,
{
    let next = times.next().map(|next| next.to_string()).unwrap_or_default();
    tracing::info!(schedule = %times.cron, next, %plan, "stale sessions are cleaned up by the schedule");
    let mut ticks = Box::pin(CronScheduler::new(times.clone()).into_stream());
    while let Some(tick) = ticks.next().await {
        let Some(moment) = tick.ok().and_then(moment) else {
            // After a missed tick the scheduler would return nothing but missed ticks.
            tracing::warn!("a tick of the schedule was missed, and is not made up for");
            ticks = Box::pin(CronScheduler::new(times.clone()).into_stream());
            continue;
        };
        if db.settings().clock.now() - moment > MAX_DELAY {
            tracing::warn!(%moment, "a tick of the schedule was missed, and is not made up for");
            continue;
        }
        let ticked = plan.tick(&db, moment).await;
        metrics.ticked(moment, log_outcome(moment, &ticked));
        if let Ok(Ticked::Started(run)) = ticked {
            started(*run).await;
        }
    }
}

fn moment(tick: CronTick) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(tick.get_timestamp().try_into().ok()?, 0)
}

/// Logs the outcome of a tick, and returns it as a metric.
fn log_outcome(moment: DateTime<Utc>, ticked: &Result<Ticked, Error>) -> Tick {
    match ticked {
        Ok(Ticked::Started(run)) => {
            let sessions = run.sessions_to_go();
            tracing::info!(%moment, run = %run.id, sessions, "the schedule has started a cleanup");
            Tick::Started
        }
        Ok(Ticked::StartedElsewhere) => {
            tracing::info!(%moment, "another process has started the schedule's cleanup");
            Tick::StartedElsewhere
        }
        Ok(Ticked::UnderWay(run)) => {
            tracing::warn!(%moment, %run, "the schedule started nothing: the run of an earlier tick is still under way");
            Tick::UnderWay
        }
        Ok(Ticked::NothingToDo) => {
            tracing::info!(%moment, "the schedule found no stale session that is old enough");
            Tick::NothingToDo
        }
        Ok(Ticked::AllStay(stay)) => {
            log_skipped(moment, stay);
            Tick::NothingToDo
        }
        Ok(Ticked::OverCeiling(refusal)) => {
            let why = &refusal.message;
            tracing::warn!(%moment, why, "the schedule started nothing: raise --cleanup-at-most, or clean up by hand");
            Tick::OverCeiling
        }
        Ok(Ticked::Refused(refusals)) => {
            let why = refusals.iter().map(|refusal| refusal.message.as_str()).collect::<Vec<_>>().join(" ");
            tracing::warn!(%moment, why, "the schedule started nothing");
            Tick::Failed
        }
        Err(error) => {
            tracing::warn!(%moment, error = error as &dyn std::error::Error, "the schedule's tick failed");
            Tick::Failed
        }
    }
}

/// Logs that all sessions are skipped. Blocked sessions are a warning: the database would refuse them each time.
fn log_skipped(moment: DateTime<Utc>, skipped: &[SkippedSession]) {
    let sessions = skipped.len();
    let blocked = skipped.iter().find(|session| session.code == RefusalCode::BlockedByForeignKey);
    if let Some(SkippedSession { session_id, message, .. }) = blocked {
        let why = "the schedule found no session that can go; `session-admin doctor` says what is in the way";
        tracing::warn!(%moment, sessions, session = %session_id, reason = message, "{why}");
    } else if let Some(SkippedSession { session_id, message, .. }) = skipped.first() {
        tracing::info!(%moment, sessions, session = %session_id, reason = message, "the schedule found no session that may go");
    }
}
