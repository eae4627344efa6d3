//! The cleanup that a schedule starts: stale sessions of a minimum age, or nothing.

use std::fmt;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

use super::create_run::create_run_for;
use super::criteria::{Age, Criteria};
use super::eligibility::{EligibilityRules, partition};
use super::model::{CleanupOutcome, CleanupRequest, CleanupRun, SkippedSession};
use super::run_record::id;
use crate::db::Database;
use crate::deletion::DeletionTerms;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::idempotency::made_run;
use crate::refusal::{Refusal, RefusalCode};
use crate::session::queries;

/// The smallest minimum age. A user may still be pairing a session that was updated more recently.
const MIN_AGE: TimeDelta = TimeDelta::hours(1);
/// The principal of scheduled runs. The idempotency keys of ticks belong to it, so no caller's key can collide with
/// them.
const PRINCIPAL: &str = "schedule";

/// What the schedule deletes.
#[derive(Debug, Clone)]
pub struct ScheduledCleanup {
    older_than: Age,
    at_most: i64,
    gateway: Option<Gateway>,
}

impl fmt::Display for ScheduledCleanup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = String::from(self.older_than.clone());
        write!(f, "those whose last update is more than {age} ago, at most {} rows a time", self.at_most)
    }
}

/// The outcome of a tick.
#[derive(Debug)]
pub enum TickOutcome {
    /// A run was started.
    Started(Box<CleanupRun>),
    /// Another process has started the run of this tick.
    StartedElsewhere,
    /// This run of an earlier tick is still under way; another one would only skip its sessions.
    UnderWay(Uuid),
    /// No stale session is old enough.
    NothingToDo,
    /// Stale sessions are old enough, but none may be deleted, each for the given reason.
    AllStay(Vec<SkippedSession>),
    /// The run would delete more rows than the ceiling, so there is none.
    OverCeiling(Refusal),
    /// The run was refused for another reason.
    Refused(Vec<Refusal>),
}

impl ScheduledCleanup {
    /// Returns a plan that deletes stale sessions whose last update is longer ago than `older_than`, and at most
    /// `at_most` rows over all tables.
    ///
    /// # Errors
    /// [`Error::BadInput`] for an age below an hour, or a ceiling below one row.
    pub fn new(older_than: Age, at_most: i64) -> Result<Self, Error> {
        if older_than.duration() < MIN_AGE {
            return Err(Error::BadInput(format!(
                "--cleanup-older-than (SESSION_ADMIN_CLEANUP_OLDER_THAN) is {}; it must be at least one hour (PT1H), \
                 so that no session is deleted while it is being paired.",
                String::from(older_than)
            )));
        }
        if at_most < 1 {
            return Err(Error::BadInput(format!(
                "--cleanup-at-most (SESSION_ADMIN_CLEANUP_AT_MOST) is {at_most}; it must be at least 1."
            )));
        }
        Ok(Self { older_than, at_most, gateway: None })
    }

    /// Returns the plan with a gateway that is queried for whether a session is connected.
    #[must_use]
    pub fn with_gateway(self, gateway: Option<Gateway>) -> Self {
        Self { gateway, ..self }
    }

    /// Starts the run of the tick at `moment`, once for all processes. Sessions that the run would skip do not count
    /// towards the ceiling, and are no reason for a run.
    ///
    /// # Errors
    /// Returns the errors of [`super::create_run()`].
    pub async fn tick(&self, db: &Database, moment: DateTime<Utc>) -> Result<TickOutcome, Error> {
        let criteria = Criteria { older_than: Some(self.older_than.clone()), ..Criteria::default() };
        let request = self.request(criteria, moment);
        if let Some(run) = find_unfinished(db, &request).await? {
            return Ok(TickOutcome::UnderWay(run));
        }
        let rules = EligibilityRules::for_request(db, &request);
        let ids = queries::find_matching_ids(db.pool(), db, &rules.criteria.filter(rules.moment)?, None).await?;
        let selection = partition(db, self.gateway.as_ref(), &rules, &ids).await?;
        if selection.selected.is_empty() {
            let skipped = selection.skipped;
            return Ok(if skipped.is_empty() { TickOutcome::NothingToDo } else { TickOutcome::AllStay(skipped) });
        }
        let outcome = create_run_for(db, &request, &selection).await?;
        Ok(match outcome {
            CleanupOutcome { run: Some(_), repeated: true, .. } => TickOutcome::StartedElsewhere,
            CleanupOutcome { run: Some(run), .. } => TickOutcome::Started(Box::new(run)),
            CleanupOutcome { mut refusals, .. } => {
                match refusals.iter().position(|refusal| refusal.code == RefusalCode::TooManyRows) {
                    Some(place) => TickOutcome::OverCeiling(refusals.swap_remove(place)),
                    None => TickOutcome::Refused(refusals.into_iter().map(explain_key_reuse).collect()),
                }
            }
        })
    }

    fn request(&self, criteria: Criteria, moment: DateTime<Utc>) -> CleanupRequest {
        let moment = moment.to_rfc3339_opts(SecondsFormat::Secs, true);
        CleanupRequest {
            criteria,
            terms: DeletionTerms {
                at_most: Some(self.at_most),
                reason: Some(format!("scheduled for {moment}")),
                idempotency_key: Some(moment),
                ..DeletionTerms::default()
            },
            principal: PRINCIPAL.to_owned(),
            ..CleanupRequest::default()
        }
    }
}

/// Returns a run of the schedule that has not finished and is not the one of this tick.
async fn find_unfinished(db: &Database, request: &CleanupRequest) -> Result<Option<Uuid>, Error> {
    let sql = format!(
        "SELECT CAST(run.id AS text) AS id FROM {} run WHERE run.started_by = $1 AND run.kind = 'DELETE' \
         AND run.status IN ('QUEUED', 'RUNNING') \
         AND NOT {} LIMIT 1",
        db.internal_table("cleanup_runs"),
        made_run(db, "run.id", "$1", "$2")
    );
    let values = [request.principal.clone().into(), request.terms.idempotency_key.clone().into()];
    let row = db.pool().query_one_raw(db.dialect().statement(sql, values)).await?;
    row.map(|row| id(&row.try_get::<String>("", "id")?)).transpose()
}

/// Replaces the message about a reused idempotency key: the key is the tick's, and the reader of the log has given
/// none.
fn explain_key_reuse(refusal: Refusal) -> Refusal {
    if refusal.code != RefusalCode::IdempotencyKeyReused {
        return refusal;
    }
    let message = "Another process has started this tick's cleanup with other settings: give all servers on this database \
                   the same --cleanup-older-than (SESSION_ADMIN_CLEANUP_OLDER_THAN) and --cleanup-at-most \
                   (SESSION_ADMIN_CLEANUP_AT_MOST).";
    Refusal::without_field(refusal.code, message)
}
