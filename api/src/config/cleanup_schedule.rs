//! The options of scheduled cleanups.

use super::invalid_option::reject_option;
use crate::cleanup::{Age, ScheduledCleanup};
use crate::clock::Clock;
use crate::error::Error;
use crate::worker::cron::CronTimes;

/// The default minimum time since the last update of a session that a schedule deletes.
const DEFAULT_AGE: &str = "PT24H";

/// The options of scheduled cleanups, which delete stale sessions without a request.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Scheduled cleanup of stale sessions")]
pub struct CleanupScheduleOptions {
    /// The times, in the five fields of cron (minute, hour, day of the month, month, day of the week), in UTC:
    /// `0 3 * * *` is every day at 03:00 [default: never]
    #[arg(long, env = "SESSION_ADMIN_CLEANUP_SCHEDULE", value_name = "CRON")]
    pub cleanup_schedule: Option<String>,
    /// The minimum time since a session's last update, as an ISO 8601 duration of at least PT1H [default: PT24H]
    #[arg(long, env = "SESSION_ADMIN_CLEANUP_OLDER_THAN", value_name = "DURATION")]
    pub cleanup_older_than: Option<Age>,
    /// Start no run that would delete more rows than this, in all tables; required for a schedule
    #[arg(long, env = "SESSION_ADMIN_CLEANUP_AT_MOST", value_name = "ROWS")]
    pub cleanup_at_most: Option<i64>,
}

impl CleanupScheduleOptions {
    /// Checks the options and returns the scheduled cleanup with its times, or `None` if the schedule is missing or
    /// empty.
    ///
    /// # Errors
    /// [`Error::BadInput`] for an invalid cron expression, an age below one hour, a schedule without a row limit, or an
    /// age or a row limit without a schedule.
    pub fn resolve(self, clock: Clock) -> Result<Option<(ScheduledCleanup, CronTimes)>, Error> {
        let Some(expression) = self.cleanup_schedule.as_ref().filter(|expression| !expression.is_empty()) else {
            return self.check_without_schedule().map(|()| None);
        };
        let times = CronTimes::read(expression, clock)?;
        let older_than = self.cleanup_older_than.map_or_else(|| DEFAULT_AGE.parse(), Ok)?;
        let Some(at_most) = self.cleanup_at_most else {
            return Err(Error::BadInput(format!(
                "--cleanup-schedule (SESSION_ADMIN_CLEANUP_SCHEDULE) needs --cleanup-at-most \
                 (SESSION_ADMIN_CLEANUP_AT_MOST), the most rows that one run may delete. `session-admin cleanup \
                 --dry-run --older-than {}` shows how many rows a run would delete now.",
                String::from(older_than)
            )));
        };
        Ok(Some((ScheduledCleanup::new(older_than, at_most)?, times)))
    }

    /// Checks that no other option of the schedule is set without a schedule, whose variable may be empty by mistake.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the option.
    fn check_without_schedule(&self) -> Result<(), Error> {
        let options = [
            ("--cleanup-older-than (SESSION_ADMIN_CLEANUP_OLDER_THAN)", self.cleanup_older_than.is_some()),
            ("--cleanup-at-most (SESSION_ADMIN_CLEANUP_AT_MOST)", self.cleanup_at_most.is_some()),
        ];
        let Some((name, _)) = options.into_iter().find(|(_, is_set)| *is_set) else { return Ok(()) };
        let reason = if self.cleanup_schedule.is_some() { "which is empty" } else { "which is not given" };
        reject_option(format!(
            "{name} is an option of --cleanup-schedule (SESSION_ADMIN_CLEANUP_SCHEDULE), {reason}, so nothing would \
             ever be cleaned up. Give a time, such as `0 3 * * *`, or omit the option."
        ))
    }
}
