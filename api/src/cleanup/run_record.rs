//! Reading runs from their rows.

use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use super::model::{CleanupRun, RunKind, RunStatus};
use crate::db::{Database, ids_parameter};
use crate::deletion::DeletionTerms;
use crate::error::Error;

/// Returns the run with this id.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find(db: &Database, id: Uuid) -> Result<Option<CleanupRun>, Error> {
    Ok(find_many(db.pool(), db, &[id]).await?.pop())
}

/// Returns the runs with these ids, in no particular order; ids that no run has are left out.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find_many(conn: &impl ConnectionTrait, db: &Database, ids: &[Uuid]) -> Result<Vec<CleanupRun>, Error> {
    let dialect = db.dialect();
    let sql = format!(
        "SELECT {SELECTED} FROM {} run WHERE run.id IN (SELECT {} FROM {} listed)",
        db.internal_table("cleanup_runs"),
        dialect.cast_uuid("listed.value"),
        dialect.json_elements("$1")
    );
    let rows = conn.query_all_raw(dialect.statement(sql, [ids_parameter(ids).into()])).await?;
    rows.iter().map(run).collect()
}

/// Returns the number of runs of each status.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count_by_status(db: &Database) -> Result<Vec<(RunStatus, u64)>, Error> {
    let runs = db.internal_table("cleanup_runs");
    let sql = format!("SELECT status, count(*) AS runs FROM {runs} GROUP BY status");
    let statuses = [RunStatus::Queued, RunStatus::Running].into_iter().chain(RunStatus::FINISHED);
    let mut counts: Vec<(RunStatus, u64)> = statuses.map(|status| (status, 0)).collect();
    for row in db.pool().query_all_raw(db.dialect().statement(sql, [])).await? {
        let status = RunStatus::from_name(&row.try_get::<String>("", "status")?)?;
        let runs = row.try_get::<i64>("", "runs")?.unsigned_abs();
        counts.retain(|(known, _)| *known != status);
        counts.push((status, runs));
    }
    Ok(counts)
}

/// The columns that are read of a run's row `run`.
pub(super) const SELECTED: &str = "CAST(run.id AS text) AS id, run.kind, run.status, run.criteria, run.sessions_total, \
     run.sessions_deleted, run.sessions_skipped, run.rows_deleted, run.rows_unlinked, run.at_most, run.allow_connected, \
     run.allow_pending_messages, run.started_by, run.reason, run.created_at, run.started_at, run.finished_at, run.error, \
     run.cancelled_by, run.leased_by, run.leased_until, run.attempts, run.archive, \
     CAST(run.restores AS text) AS restores, run.sessions_restored, run.rows_restored";

/// Reads a run from its row.
pub(super) fn run(row: &QueryResult) -> Result<CleanupRun, Error> {
    let criteria: String = row.try_get("", "criteria")?;
    Ok(CleanupRun {
        id: id(&row.try_get::<String>("", "id")?)?,
        kind: RunKind::from_name(&row.try_get::<String>("", "kind")?)?,
        status: RunStatus::from_name(&row.try_get::<String>("", "status")?)?,
        criteria: serde_json::from_str(&criteria).map_err(|error| {
            Error::IncompatibleDatabase(format!("A cleanup run's criteria cannot be read: {error}"))
        })?,
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

/// Parses an id that a run's row holds.
pub(super) fn id(text: &str) -> Result<Uuid, Error> {
    text.parse()
        .map_err(|_| Error::IncompatibleDatabase(format!("A cleanup run's record holds {text}, which is not a UUID.")))
}
