//! A run, as its row tells of it.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, QueryResult};
use serde::Serialize;
use uuid::Uuid;

use super::{Criteria, id};
use crate::db::Database;
use crate::error::Error;
use crate::impact::ids_parameter;

/// One execution of a cleanup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanupRun {
    /// Its id.
    pub id: Uuid,
    /// What it does.
    pub kind: RunKind,
    /// How far it is.
    pub status: RunStatus,
    /// What was asked for.
    pub criteria: Criteria,
    /// The sessions on its list.
    pub sessions_total: i64,
    /// Those that are gone.
    pub sessions_deleted: i64,
    /// Those that stay. A finished run has no others.
    pub sessions_skipped: i64,
    /// Rows deleted so far, over all tables.
    pub rows_deleted: i64,
    /// Rows unlinked so far, over all tables.
    pub rows_unlinked: i64,
    /// The run whose deletions it restores.
    pub restores: Option<Uuid>,
    /// Sessions that are back.
    pub sessions_restored: i64,
    /// Rows put back so far, over all tables.
    pub rows_restored: i64,
    /// The rows that it may delete; none where there is no limit.
    pub at_most: Option<i64>,
    /// Connected sessions may go.
    pub allow_connected: bool,
    /// Messages still to be sent may go, or overdue ones come back.
    pub allow_pending_messages: bool,
    /// What it deletes is kept, so that it can be restored.
    pub archive: bool,
    /// Who asked for it.
    pub started_by: String,
    /// Why.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When the first session was looked at.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<String>,
    /// Who stopped it.
    pub cancelled_by: Option<String>,
    /// The worker that holds it.
    #[serde(skip)]
    pub(super) leased_by: Option<String>,
    /// Until when it is that worker's; where nobody holds it, the moment before which it is not tried again.
    #[serde(skip)]
    pub(super) leased_until: Option<DateTime<Utc>>,
    /// How often it was begun with since it last came further.
    #[serde(skip)]
    pub(super) attempts: i32,
}

impl CleanupRun {
    /// The sessions whose turn has not come.
    #[must_use]
    pub const fn sessions_to_go(&self) -> i64 {
        self.sessions_total - self.sessions_deleted - self.sessions_restored - self.sessions_skipped
    }

    /// Whether only a worker with a gateway can work on it.
    #[must_use]
    pub fn wants_gateway(&self) -> bool {
        self.kind == RunKind::Delete && self.criteria.missing_from_gateway
    }

    /// From when on a worker may take it, where that is still to come.
    #[must_use]
    pub fn free_from(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.leased_until.filter(|until| *until > now)
    }

    /// Whether a worker has it, be it alive or not; else it rests after an error until it is free.
    #[must_use]
    pub const fn is_leased(&self) -> bool {
        self.leased_by.is_some()
    }

    /// Whether a worker may take it now.
    #[must_use]
    pub fn is_free(&self, now: DateTime<Utc>) -> bool {
        !self.status.has_finished() && self.free_from(now).is_none()
    }
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunKind {
    /// It deletes sessions.
    Delete,
    /// It puts back what another run deleted.
    Restore,
}

impl RunKind {
    fn of_row(word: &str) -> Result<Self, Error> {
        match word {
            "DELETE" => Ok(Self::Delete),
            "RESTORE" => Ok(Self::Restore),
            _ => {
                Err(Error::Unsuitable(format!("A cleanup run has the kind {word}, which this version does not know.")))
            }
        }
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunStatus {
    /// Nobody has begun with it.
    Queued,
    /// It is under way, or waits for a worker that goes on with it.
    Running,
    /// It came to its end.
    Succeeded,
    /// It stopped, or the database refused every session that it tried.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl RunStatus {
    /// Those of which nothing more happens.
    const FINISHED: [Self; 3] = [Self::Succeeded, Self::Failed, Self::Cancelled];

    /// Whether nothing more happens.
    #[must_use]
    pub fn has_finished(self) -> bool {
        Self::FINISHED.contains(&self)
    }

    pub(super) fn of_row(word: &str) -> Result<Self, Error> {
        match word {
            "QUEUED" => Ok(Self::Queued),
            "RUNNING" => Ok(Self::Running),
            "SUCCEEDED" => Ok(Self::Succeeded),
            "FAILED" => Ok(Self::Failed),
            "CANCELLED" => Ok(Self::Cancelled),
            _ => Err(Error::Unsuitable(format!(
                "A cleanup run has the status {word}, which this version does not know."
            ))),
        }
    }
}

/// The run with this id.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find(db: &Database, id: Uuid) -> Result<Option<CleanupRun>, Error> {
    Ok(find_many(db.pool(), db, &[id]).await?.pop())
}

/// The runs with these ids, in no particular order; ids that no run has are left out.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find_many(conn: &impl ConnectionTrait, db: &Database, ids: &[Uuid]) -> Result<Vec<CleanupRun>, Error> {
    let dialect = db.dialect();
    let sql = format!(
        "SELECT {SELECTED} FROM {} c WHERE c.id IN (SELECT {} FROM {} listed)",
        db.own_table("cleanup_runs"),
        dialect.as_uuid("listed.value"),
        dialect.elements("$1")
    );
    let rows = conn.query_all_raw(dialect.statement(sql, [ids_parameter(ids).into()])).await?;
    rows.iter().map(run).collect()
}

/// How many runs there are of each status.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count_by_status(db: &Database) -> Result<Vec<(RunStatus, u64)>, Error> {
    let runs = db.own_table("cleanup_runs");
    let sql = format!("SELECT status, count(*) AS runs FROM {runs} GROUP BY status");
    let statuses = [RunStatus::Queued, RunStatus::Running].into_iter().chain(RunStatus::FINISHED);
    let mut counts: Vec<(RunStatus, u64)> = statuses.map(|status| (status, 0)).collect();
    for row in db.pool().query_all_raw(db.dialect().statement(sql, [])).await? {
        let status = RunStatus::of_row(&row.try_get::<String>("", "status")?)?;
        let runs = row.try_get::<i64>("", "runs")?.unsigned_abs();
        counts.retain(|(known, _)| *known != status);
        counts.push((status, runs));
    }
    Ok(counts)
}

/// What is read of a run's row `c`.
pub(super) const SELECTED: &str = "CAST(c.id AS text) AS id, c.kind, c.status, c.criteria, c.sessions_total, \
     c.sessions_deleted, c.sessions_skipped, c.rows_deleted, c.rows_unlinked, c.at_most, c.allow_connected, \
     c.allow_pending_messages, c.started_by, c.reason, c.created_at, c.started_at, c.finished_at, c.error, \
     c.cancelled_by, c.leased_by, c.leased_until, c.attempts, c.archive, CAST(c.restores AS text) AS restores, \
     c.sessions_restored, c.rows_restored";

pub(super) fn run(row: &QueryResult) -> Result<CleanupRun, Error> {
    let criteria: String = row.try_get("", "criteria")?;
    Ok(CleanupRun {
        id: id(&row.try_get::<String>("", "id")?)?,
        kind: RunKind::of_row(&row.try_get::<String>("", "kind")?)?,
        status: RunStatus::of_row(&row.try_get::<String>("", "status")?)?,
        criteria: serde_json::from_str(&criteria)
            .map_err(|error| Error::Unsuitable(format!("A cleanup run's criteria cannot be read: {error}")))?,
        sessions_total: row.try_get("", "sessions_total")?,
        sessions_deleted: row.try_get("", "sessions_deleted")?,
        sessions_skipped: row.try_get("", "sessions_skipped")?,
        rows_deleted: row.try_get("", "rows_deleted")?,
        rows_unlinked: row.try_get("", "rows_unlinked")?,
        at_most: row.try_get("", "at_most")?,
        allow_connected: row.try_get("", "allow_connected")?,
        allow_pending_messages: row.try_get("", "allow_pending_messages")?,
        started_by: row.try_get("", "started_by")?,
        reason: row.try_get("", "reason")?,
        created_at: row.try_get("", "created_at")?,
        started_at: row.try_get("", "started_at")?,
        finished_at: row.try_get("", "finished_at")?,
        error: row.try_get("", "error")?,
        archive: row.try_get("", "archive")?,
        restores: row.try_get::<Option<String>>("", "restores")?.as_deref().map(id).transpose()?,
        sessions_restored: row.try_get("", "sessions_restored")?,
        rows_restored: row.try_get("", "rows_restored")?,
        cancelled_by: row.try_get("", "cancelled_by")?,
        leased_by: row.try_get("", "leased_by")?,
        leased_until: row.try_get("", "leased_until")?,
        attempts: row.try_get("", "attempts")?,
    })
}
