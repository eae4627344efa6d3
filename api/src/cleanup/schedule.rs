//! What the schedule does when its time has come: the stale sessions of a minimum age go, or nothing does.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use super::{Age, CleanupOutcome, CleanupRequest, CleanupRun, Criteria, start};
use crate::db::Database;
use crate::error::Error;
use crate::refusal::{Refusal, RefusalCode};
use crate::session::read;

/// A session that was updated later than this may be one that somebody is pairing.
const YOUNGEST: TimeDelta = TimeDelta::hours(1);
/// Who asks for the runs. The key of a tick belongs to it, so that no caller's key can be in its way.
const PRINCIPAL: &str = "schedule";

/// What the schedule takes.
#[derive(Debug, Clone)]
pub struct Plan {
    older_than: Age,
    at_most: i64,
}

/// What came of a tick.
#[derive(Debug)]
pub enum Ticked {
    /// A run was started.
    Started(Box<CleanupRun>),
    /// Another process has started the run.
    StartedElsewhere,
    /// No stale session is old enough.
    NothingToDo,
    /// More rows than the ceiling would go, so nothing does.
    OverCeiling(Refusal),
    /// There is no run for another reason.
    Refused(Vec<Refusal>),
}

impl Plan {
    /// Takes stale sessions whose last update is longer ago than `older_than`, and `at_most` rows over all tables.
    ///
    /// # Errors
    /// [`Error::BadInput`] for an age below an hour, or a ceiling below one row.
    pub fn new(older_than: Age, at_most: i64) -> Result<Self, Error> {
        if older_than.lasts() < YOUNGEST {
            return Err(Error::BadInput(format!(
                "--cleanup-older-than (SESSION_ADMIN_CLEANUP_OLDER_THAN) is {}; it is at least an hour, PT1H, so that no \
                 session goes that somebody is pairing.",
                String::from(older_than)
            )));
        }
        if at_most < 1 {
            return Err(Error::BadInput(format!(
                "--cleanup-at-most (SESSION_ADMIN_CLEANUP_AT_MOST) is {at_most}; it takes rows, at least 1."
            )));
        }
        Ok(Self { older_than, at_most })
    }

    /// Starts the run of the tick at `moment`. However many processes ask for it, there is one.
    ///
    /// # Errors
    /// Those of [`start()`].
    pub async fn tick(&self, db: &Database, moment: DateTime<Utc>) -> Result<Ticked, Error> {
        let criteria = Criteria { older_than: Some(self.older_than.clone()), ..Criteria::default() };
        let filter = criteria.filter(db.settings().clock.now())?;
        if read::matching(db.pool(), db, &filter, Some(1)).await?.is_empty() {
            return Ok(Ticked::NothingToDo);
        }
        let outcome = start(db, None, &self.request(criteria, moment)).await?;
        Ok(match outcome {
            CleanupOutcome { run: Some(_), repeated: true, .. } => Ticked::StartedElsewhere,
            CleanupOutcome { run: Some(run), .. } => Ticked::Started(Box::new(run)),
            CleanupOutcome { mut refusals, .. } => {
                match refusals.iter().position(|refusal| refusal.code == RefusalCode::TooManyRows) {
                    Some(place) => Ticked::OverCeiling(refusals.swap_remove(place)),
                    None => Ticked::Refused(refusals),
                }
            }
        })
    }

    fn request(&self, criteria: Criteria, moment: DateTime<Utc>) -> CleanupRequest {
        let moment = moment.to_rfc3339_opts(SecondsFormat::Secs, true);
        CleanupRequest {
            criteria,
            at_most: Some(self.at_most),
            reason: Some(format!("scheduled for {moment}")),
            idempotency_key: Some(moment),
            principal: PRINCIPAL.to_owned(),
            ..CleanupRequest::default()
        }
    }
}
