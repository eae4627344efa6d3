//! Cleaning up stale sessions by itself, at the times that a cron expression names.

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

/// A tick that comes later than this, since the process was stopped or the machine asleep, is a missed one.
const LATE: TimeDelta = TimeDelta::minutes(1);

/// When the schedule ticks, in UTC.
#[derive(Debug, Clone)]
pub struct Times {
    cron: Cron,
    clock: Clock,
}

impl Times {
    /// The times of an expression as cron(5) has it: minute, hour, day of the month, month, day of the week.
    ///
    /// # Errors
    /// [`Error::BadInput`] where it is none, or names a time that never comes.
    pub fn read(expression: &str, clock: Clock) -> Result<Self, Error> {
        let wrong = |why: String| {
            Error::BadInput(format!(
                "--cleanup-schedule (SESSION_ADMIN_CLEANUP_SCHEDULE) is {expression:?}: {why}. It takes five fields, in \
                 UTC: minute, hour, day of the month, month, day of the week. `0 3 * * *` is every day at three."
            ))
        };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron =
            parser.parse(expression).map_err(|error| wrong(error.to_string().trim_end_matches('.').to_owned()))?;
        let times = Self { cron, clock };
        if times.next().is_none() { Err(wrong("that time never comes".to_owned())) } else { Ok(times) }
    }

    /// The first of them from now on.
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

/// Ticks for as long as it is awaited, and hands the runs that it starts to `started`. A tick that was missed is not made
/// up for.
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
            // A time that went by unseen. The scheduler would tell of nothing else from here on.
            tracing::warn!("a tick of the schedule was missed, and is not made up for");
            ticks = Box::pin(CronScheduler::new(times.clone()).into_stream());
            continue;
        };
        if db.settings().clock.now() - moment > LATE {
            tracing::warn!(%moment, "a tick of the schedule was missed, and is not made up for");
            continue;
        }
        let ticked = plan.tick(&db, moment).await;
        metrics.ticked(moment, told(moment, &ticked));
        if let Ok(Ticked::Started(run)) = ticked {
            started(*run).await;
        }
    }
}

fn moment(tick: CronTick) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(tick.get_timestamp().try_into().ok()?, 0)
}

/// Says in the log what came of a tick.
fn told(moment: DateTime<Utc>, ticked: &Result<Ticked, Error>) -> Tick {
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
            told_of_those_that_stay(moment, stay);
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

/// What somebody has to mend is a warning: the database would refuse such a session each time.
fn told_of_those_that_stay(moment: DateTime<Utc>, stay: &[SkippedSession]) {
    let sessions = stay.len();
    let blocked = stay.iter().find(|session| session.code == RefusalCode::BlockedByForeignKey);
    if let Some(SkippedSession { session_id, message, .. }) = blocked {
        let why = "the schedule found no session that can go; `session-admin doctor` says what is in the way";
        tracing::warn!(%moment, sessions, session = %session_id, reason = message, "{why}");
    } else if let Some(SkippedSession { session_id, message, .. }) = stay.first() {
        tracing::info!(%moment, sessions, session = %session_id, reason = message, "the schedule found no session that may go");
    }
}
