//! One batch of a run: a deletion like any other.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::model::CleanupRun;
use super::run_claim::{DeleteBatch, RunLease};
use crate::db::{Database, Dialect};
use crate::deletion::{DeletionRequest, delete_batch};
use crate::error::Error;
use crate::gateway::GatewayState;
use crate::refusal::{Refusal, RefusalCode};
use crate::wording::counted;

/// How a batch ended.
pub(super) enum Ended {
    /// It went.
    Deleted { rows: i64, took: Duration },
    /// It would pass what the run may delete.
    TooMany(String),
    /// It did not go.
    Refused(Refusal),
    /// The run, or a session of it, is another worker's by now.
    Elsewhere,
}

/// Deletes sessions of a run together, each checked again under its lock. `gateway` is what was said of them just before.
pub(super) async fn delete(
    db: &Database,
    run: &CleanupRun,
    lease: &RunLease,
    sessions: &[Uuid],
    gateway: HashMap<Uuid, GatewayState>,
) -> Result<Ended, Error> {
    let request = DeletionRequest {
        session_ids: sessions.to_vec(),
        gateway,
        must_meet: Some(run.criteria.filter(run.created_at)?),
        terms: run.terms.clone(),
        principal: run.started_by.clone(),
        ..DeletionRequest::default()
    };
    let began = Instant::now();
    let outcome = match delete_batch(db, &request, &DeleteBatch { db, lease, session_ids: sessions }).await {
        Ok(Some(outcome)) => outcome,
        Ok(None) => return Ok(Ended::Elsewhere),
        Err(error) => return by_error(db.dialect(), error).map(Ended::Refused),
    };
    if let Some(deletion) = outcome.deletion {
        return Ok(Ended::Deleted { rows: deletion.rows_deleted + deletion.rows_unlinked, took: began.elapsed() });
    }
    let rows = outcome.impact.map_or(0, |impact| impact.rows_deleted);
    let mut refusals = outcome.refusals;
    // What is about the sessions comes before what is about the run.
    refusals.sort_by_key(|refusal| refusal.code == RefusalCode::TooManyRows);
    Ok(match refusals.into_iter().next() {
        Some(Refusal { code: RefusalCode::TooManyRows, .. }) => Ended::TooMany(too_many(run, sessions.len(), rows)),
        Some(refusal) => Ended::Refused(refusal),
        None => Ended::Elsewhere,
    })
}

fn too_many(run: &CleanupRun, sessions: usize, rows: i64) -> String {
    format!(
        "The next {} would delete {rows} more rows, and with them the run more than atMost ({}).",
        counted(i64::try_from(sessions).unwrap_or(i64::MAX), "session", "sessions"),
        run.terms.at_most.unwrap_or_default()
    )
}

/// What went wrong with these sessions and may go well with others; what concerns the whole database stays an error.
pub(super) fn by_error(dialect: Dialect, error: Error) -> Result<Refusal, Error> {
    let code = match (&error, dialect) {
        // SQLite's lock is the whole database's.
        (Error::LockTimeout(_), Dialect::Postgres) | (Error::Timeout(_), _) => RefusalCode::LockTimeout,
        (Error::Refused(_) | Error::MissingGrant(_) | Error::Unsuitable(_) | Error::Database(_), _) => {
            RefusalCode::BlockedByForeignKey
        }
        _ => return Err(error),
    };
    tracing::info!(error = &error as &dyn std::error::Error, "a batch of a cleanup run failed");
    Ok(Refusal::plain(code, error.to_string()))
}
