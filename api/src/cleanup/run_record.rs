//! A run, as its row tells of it.

use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use super::model::{CleanupRun, RunKind, RunStatus};
use crate::db::{Database, ids_parameter};
use crate::deletion::DeletionTerms;
use crate::error::Error;

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
        terms: DeletionTerms {
            at_most: row.try_get("", "at_most")?,
            allow_connected: row.try_get("", "allow_connected")?,
            allow_pending_messages: row.try_get("", "allow_pending_messages")?,
            archive: row.try_get("", "archive")?,
            reason: row.try_get("", "reason")?,
            ..DeletionTerms::default()
        },
        started_by: row.try_get("", "started_by")?,
        created_at: row.try_get("", "created_at")?,
        started_at: row.try_get("", "started_at")?,
        finished_at: row.try_get("", "finished_at")?,
        error: row.try_get("", "error")?,
        restores: row.try_get::<Option<String>>("", "restores")?.as_deref().map(id).transpose()?,
        sessions_restored: row.try_get("", "sessions_restored")?,
        rows_restored: row.try_get("", "rows_restored")?,
        cancelled_by: row.try_get("", "cancelled_by")?,
        leased_by: row.try_get("", "leased_by")?,
        leased_until: row.try_get("", "leased_until")?,
        attempts: row.try_get("", "attempts")?,
    })
}

/// An id that a run's row holds.
pub(super) fn id(text: &str) -> Result<Uuid, Error> {
    text.parse().map_err(|_| Error::Unsuitable(format!("A cleanup run's record holds {text}, which is no UUID.")))
}
