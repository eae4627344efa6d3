//! The options of scheduled cleanups.

use super::invalid_option::invalid;
use crate::cleanup::{Age, ScheduledCleanup};
use crate::clock::Clock;
use crate::error::Error;
use crate::worker::cron::CronTimes;

/// The least age of the sessions that a schedule deletes, unless another is given.
const DEFAULT_AGE: &str = "PT24H";

/// When stale sessions are cleaned up without a request.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Cleaning up stale sessions by itself")]
pub struct CleanupScheduleOptions {
    /// When, as cron has it (minute, hour, day of the month, month, day of the week), in UTC: `0 3 * * *` is every day at
    /// three [default: never]
    #[arg(long, env = "SESSION_ADMIN_CLEANUP_SCHEDULE", value_name = "CRON")]
    pub cleanup_schedule: Option<String>,
    /// Only those whose last update is longer ago, as an ISO 8601 duration of at least PT1H [default: PT24H]
    #[arg(long, env = "SESSION_ADMIN_CLEANUP_OLDER_THAN", value_name = "DURATION")]
    pub cleanup_older_than: Option<Age>,
    /// Start nothing if more rows than this would be deleted, over all tables; a schedule needs it
    #[arg(long, env = "SESSION_ADMIN_CLEANUP_AT_MOST", value_name = "ROWS")]
    pub cleanup_at_most: Option<i64>,
}

impl CleanupScheduleOptions {
    /// Returns what the schedule deletes and when; none where there is no schedule, or an empty one.
    ///
    /// # Errors
    /// [`Error::BadInput`] for an expression that is not cron's, an age below an hour, no ceiling, or an age or a ceiling
    /// without a schedule.
    pub fn resolve(self, clock: Clock) -> Result<Option<(ScheduledCleanup, CronTimes)>, Error> {
        let Some(expression) = self.cleanup_schedule.as_ref().filter(|expression| !expression.is_empty()) else {
            return self.check_without_schedule().map(|()| None);
        };
        let times = CronTimes::read(expression, clock)?;
        let older_than = self.cleanup_older_than.map_or_else(|| DEFAULT_AGE.parse(), Ok)?;
        let Some(at_most) = self.cleanup_at_most else {
            return Err(Error::BadInput(format!(
                "--cleanup-schedule (SESSION_ADMIN_CLEANUP_SCHEDULE) needs --cleanup-at-most \
                 (SESSION_ADMIN_CLEANUP_AT_MOST), the most rows that it may delete at a time. `session-admin cleanup \
                 --dry-run --older-than {}` says how many it would be now.",
                String::from(older_than)
            )));
        };
        Ok(Some((ScheduledCleanup::new(older_than, at_most)?, times)))
    }

    /// Refuses a schedule's options without a schedule, which was meant to be given: its variable may be empty by mistake.
    fn check_without_schedule(&self) -> Result<(), Error> {
        let given = [
            ("--cleanup-older-than (SESSION_ADMIN_CLEANUP_OLDER_THAN)", self.cleanup_older_than.is_some()),
            ("--cleanup-at-most (SESSION_ADMIN_CLEANUP_AT_MOST)", self.cleanup_at_most.is_some()),
        ];
        let Some((name, _)) = given.into_iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
        let reason = if self.cleanup_schedule.is_some() { "which is empty" } else { "which is not given" };
        invalid(format!(
            "{name} is an option of --cleanup-schedule (SESSION_ADMIN_CLEANUP_SCHEDULE), {reason}, so nothing would ever be \
             cleaned up. Name a time, such as `0 3 * * *`, or leave the option out."
        ))
    }
}
