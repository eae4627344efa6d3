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
pub(super) enum BatchOutcome {
    /// Its sessions were deleted.
    Deleted { rows: i64, duration: Duration },
    /// It would exceed the rows that the run may delete.
    TooManyRows(String),
    /// It was refused.
    Refused(Refusal),
    /// The run, or a session of the batch, is another worker's by now.
    OtherWorkersBatch,
}

/// Deletes sessions of a run together, each checked again under its lock. `gateway` is what the gateway answered about
/// them just before.
pub(super) async fn delete(
    db: &Database,
    run: &CleanupRun,
    lease: &RunLease,
    session_ids: &[Uuid],
    gateway: HashMap<Uuid, GatewayState>,
) -> Result<BatchOutcome, Error> {
    let request = DeletionRequest {
        session_ids: session_ids.to_vec(),
        terms: run.terms.clone(),
        gateway,
        must_meet: Some(run.criteria.filter(run.created_at)?),
        principal: run.started_by.clone(),
        ..DeletionRequest::default()
    };
    let began = Instant::now();
    let outcome = match delete_batch(db, &request, &DeleteBatch { db, lease, session_ids }).await {
        Ok(Some(outcome)) => outcome,
        Ok(None) => return Ok(BatchOutcome::OtherWorkersBatch),
        Err(error) => return refuse_batch_error(db.dialect(), error).map(BatchOutcome::Refused),
    };
    if let Some(deletion) = outcome.deletion {
        let rows = deletion.rows_deleted + deletion.rows_unlinked;
        return Ok(BatchOutcome::Deleted { rows, duration: began.elapsed() });
    }
    let rows = outcome.impact.map_or(0, |impact| impact.rows_deleted);
    let mut refusals = outcome.refusals;
    // Refusals about the sessions come before the one about the run.
    refusals.sort_by_key(|refusal| refusal.code == RefusalCode::TooManyRows);
    Ok(match refusals.into_iter().next() {
        Some(Refusal { code: RefusalCode::TooManyRows, .. }) => {
            BatchOutcome::TooManyRows(too_many_rows(run, session_ids.len(), rows))
        }
        Some(refusal) => BatchOutcome::Refused(refusal),
        None => BatchOutcome::OtherWorkersBatch,
    })
}

fn too_many_rows(run: &CleanupRun, sessions: usize, rows: i64) -> String {
    format!(
        "Deleting the next {} would delete {rows} rows, and the run would exceed atMost ({}).",
        counted(i64::try_from(sessions).unwrap_or(i64::MAX), "session", "sessions"),
        run.terms.at_most.unwrap_or_default()
    )
}

/// Turns an error into the refusal of one batch where other batches may succeed. An error that concerns the whole
/// database stays an error.
pub(super) fn refuse_batch_error(dialect: Dialect, error: Error) -> Result<Refusal, Error> {
    let code = match (&error, dialect) {
        // SQLite's lock is the whole database's.
        (Error::LockTimeout(_), Dialect::Postgres) | (Error::Timeout(_), _) => RefusalCode::LockTimeout,
        (Error::Refused(_) | Error::MissingGrant(_) | Error::IncompatibleDatabase(_) | Error::Database(_), _) => {
            RefusalCode::BlockedByForeignKey
        }
        _ => return Err(error),
    };
    tracing::info!(target: "session_admin::cleanup", error = &error as &dyn std::error::Error, "a batch of a cleanup run failed");
    Ok(Refusal::without_field(code, error.to_string()))
}
