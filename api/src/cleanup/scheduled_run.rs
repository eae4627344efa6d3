//! What the schedule does when its time has come: the stale sessions of a minimum age go, or nothing does.

use std::fmt;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sea_orm::ConnectionTrait as _;
use uuid::Uuid;

use super::create_run::start_of;
use super::criteria::{Age, Criteria};
use super::eligibility::{EligibilityRules, sort_out};
use super::model::{CleanupOutcome, CleanupRequest, CleanupRun, SkippedSession};
use super::run_record::id;
use crate::db::Database;
use crate::deletion::DeletionTerms;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::idempotency::made_run;
use crate::refusal::{Refusal, RefusalCode};
use crate::session::queries;

/// A session that was updated later than this may be one that somebody is pairing.
const YOUNGEST: TimeDelta = TimeDelta::hours(1);
/// Who asks for the runs. The key of a tick belongs to it, so that no caller's key can be in its way.
const PRINCIPAL: &str = "schedule";

/// What the schedule takes.
#[derive(Debug, Clone)]
pub struct Plan {
    older_than: Age,
    at_most: i64,
    gateway: Option<Gateway>,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = String::from(self.older_than.clone());
        write!(f, "those whose last update is more than {age} ago, at most {} rows a time", self.at_most)
    }
}

/// What came of a tick.
#[derive(Debug)]
pub enum Ticked {
    /// A run was started.
    Started(Box<CleanupRun>),
    /// Another process has started the run.
    StartedElsewhere,
    /// This run of an earlier tick is still under way; another one would only skip what it takes.
    UnderWay(Uuid),
    /// No stale session is old enough.
    NothingToDo,
    /// Some are, and none may go, each for this reason.
    AllStay(Vec<SkippedSession>),
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
        Ok(Self { older_than, at_most, gateway: None })
    }

    /// The same with a gateway that is asked whether a session is connected.
    #[must_use]
    pub fn with_gateway(self, gateway: Option<Gateway>) -> Self {
        Self { gateway, ..self }
    }

    /// Starts the run of the tick at `moment`. However many processes ask for it, there is one. Sessions that the run would
    /// only skip do not count towards the ceiling, and are no reason for a run.
    ///
    /// # Errors
    /// Those of [`super::start()`].
    pub async fn tick(&self, db: &Database, moment: DateTime<Utc>) -> Result<Ticked, Error> {
        let criteria = Criteria { older_than: Some(self.older_than.clone()), ..Criteria::default() };
        let request = self.request(criteria, moment);
        if let Some(run) = under_way(db, &request).await? {
            return Ok(Ticked::UnderWay(run));
        }
        let rules = EligibilityRules::now(db, &request);
        let ids = queries::matching(db.pool(), db, &rules.criteria.filter(rules.moment)?, None).await?;
        let picked = sort_out(db, self.gateway.as_ref(), &rules, &ids).await?;
        if picked.taken.is_empty() {
            return Ok(if picked.left.is_empty() { Ticked::NothingToDo } else { Ticked::AllStay(picked.left) });
        }
        let outcome = start_of(db, &request, &picked).await?;
        Ok(match outcome {
            CleanupOutcome { run: Some(_), repeated: true, .. } => Ticked::StartedElsewhere,
            CleanupOutcome { run: Some(run), .. } => Ticked::Started(Box::new(run)),
            CleanupOutcome { mut refusals, .. } => {
                match refusals.iter().position(|refusal| refusal.code == RefusalCode::TooManyRows) {
                    Some(place) => Ticked::OverCeiling(refusals.swap_remove(place)),
                    None => Ticked::Refused(refusals.into_iter().map(in_the_schedules_words).collect()),
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

/// A run of the schedule's that has not finished and is not this tick's.
async fn under_way(db: &Database, request: &CleanupRequest) -> Result<Option<Uuid>, Error> {
    let sql = format!(
        "SELECT CAST(c.id AS text) AS id FROM {} c WHERE c.started_by = $1 AND c.kind = 'DELETE' \
         AND c.status IN ('QUEUED', 'RUNNING') \
         AND NOT {} LIMIT 1",
        db.own_table("cleanup_runs"),
        made_run(db, "c.id", "$1", "$2")
    );
    let values = [request.principal.clone().into(), request.terms.idempotency_key.clone().into()];
    let row = db.pool().query_one_raw(db.dialect().statement(sql, values)).await?;
    row.map(|row| id(&row.try_get::<String>("", "id")?)).transpose()
}

/// The key is the tick's, and nobody who reads the log has given one.
fn in_the_schedules_words(refusal: Refusal) -> Refusal {
    if refusal.code != RefusalCode::IdempotencyKeyReused {
        return refusal;
    }
    let message = "Another process has started this tick's cleanup with other settings: give all servers on this database \
                   the same --cleanup-older-than (SESSION_ADMIN_CLEANUP_OLDER_THAN) and --cleanup-at-most \
                   (SESSION_ADMIN_CLEANUP_AT_MOST).";
    Refusal::plain(refusal.code, message)
}
