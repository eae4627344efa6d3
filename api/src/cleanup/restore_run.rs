//! A run that restores what another run deleted: deletion by deletion, the newest first, each in its own transaction.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use uuid::Uuid;

use super::criteria::Criteria;
use super::delete_batch::refuse_batch_error;
use super::model::{CleanupRun, RunKind, RunOutcome, SkippedSession};
use super::run_claim::{RestoreBatch, RunLease};
use super::run_progress;
use super::run_progress::SessionState;
use super::run_record::{find_many, id};
use crate::db::{Database, Dialect, WriteTransaction};
use crate::deletion::audit::run_deletions::{count_restored, sessions_to_restore};
use crate::deletion::refusals;
use crate::error::Error;
use crate::refusal::{Refusal, RefusalCode};
use crate::restore::{RestoreOutcome, RestoreRequest, restore_batch};

/// A request to restore everything that a run deleted.
#[derive(Debug, Clone, Default)]
pub struct RestoreRunRequest {
    /// The run whose deletions are to be restored.
    pub run_id: Uuid,
    /// Whether overdue messages may be restored: pending messages whose time has passed, which would be sent at once.
    pub allow_pending_messages: bool,
    /// The name of the principal that makes the request, for the audit record.
    pub principal: String,
}

/// Creates a run that restores all deletions of another run, or returns the refusals; nothing is restored yet.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn restore(db: &Database, request: &RestoreRunRequest) -> Result<RunOutcome, Error> {
    let WriteTransaction { transaction, writer_guard: _writer_guard } = db.begin_write(true).await?;
    match insert(&transaction, db, request).await {
        Ok(outcome) if outcome.run.is_some() => {
            transaction.commit().await?;
            Ok(outcome)
        }
        other => {
            // The first error is the one to report.
            let _ = transaction.rollback().await;
            match other {
                Err(Error::LockTimeout(source)) => {
                    tracing::info!(target: "session_admin::cleanup", %source, "a restore of a run gave up waiting for a lock");
                    Ok(refused(refusals::lock_timeout("restore")))
                }
                other => other,
            }
        }
    }
}

async fn insert(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &RestoreRunRequest,
) -> Result<RunOutcome, Error> {
    let about = |code, message: String| Ok(refused(Refusal::for_field("input.id", code, message)));
    let Some(run) = find_many(transaction, db, &[request.run_id]).await?.pop() else {
        return about(RefusalCode::NotFound, format!("No cleanup run has the id {}.", request.run_id));
    };
    if run.kind == RunKind::Restore {
        let message = "The run is a restore. It deleted nothing that could be restored.";
        return about(RefusalCode::ArchiveGone, message.to_owned());
    }
    if !run.status.has_finished() {
        let message = "The run is still in progress. Cancel it, or wait until it has finished, then restore it.";
        return about(RefusalCode::RestoreConflict, message.to_owned());
    }
    if let Some(other) = find_unfinished_restore(transaction, db, run.id).await? {
        let message =
            format!("The run {other} is restoring it. Wait until {other} has finished, or cancel it, then try again.");
        return about(RefusalCode::RestoreConflict, message);
    }
    let id = Uuid::new_v4();
    insert_run(transaction, db, request, &run, id).await?;
    insert_sessions(transaction, db, request.run_id, id).await?;
    count_sessions(transaction, db, id).await?;
    let run = find_many(transaction, db, &[id]).await?.pop();
    match run {
        Some(run) if run.sessions_to_go() == 0 => {
            let (code, message) = nothing_to_restore(transaction, db, request.run_id).await?;
            about(code, message)
        }
        run => Ok(RunOutcome { run, refusals: Vec::new() }),
    }
}

fn refused(refusal: Refusal) -> RunOutcome {
    RunOutcome { run: None, refusals: vec![refusal] }
}

/// Returns the run that is restoring this one, if any. A second request for the same run waits here.
async fn find_unfinished_restore(
    transaction: &DatabaseTransaction,
    db: &Database,
    of: Uuid,
) -> Result<Option<Uuid>, Error> {
    let (dialect, runs) = (db.dialect(), db.internal_table("cleanup_runs"));
    let of_run = dialect.uuid_parameter(1);
    if dialect == Dialect::Postgres {
        let lock = format!("SELECT 1 FROM {runs} WHERE id = {of_run} FOR UPDATE");
        transaction.execute_raw(dialect.statement(lock, [of.to_string().into()])).await?;
    }
    let sql = format!(
        "SELECT CAST(id AS text) AS id FROM {runs} WHERE restores = {of_run} AND status IN ('QUEUED', 'RUNNING') LIMIT 1"
    );
    let row = transaction.query_one_raw(dialect.statement(sql, [of.to_string().into()])).await?;
    row.map(|row| id(&row.try_get::<String>("", "id")?)).transpose()
}

/// Inserts the run's row. It does not repeat the search and the reason of the run that deleted, which an erasure blanks
/// there.
async fn insert_run(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &RestoreRunRequest,
    of: &CleanupRun,
    id: Uuid,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let sql = format!(
        "INSERT INTO {} (id, kind, status, criteria, sessions_total, allow_connected, allow_pending_messages, started_by, \
         created_at, restores) VALUES ({}, 'RESTORE', 'QUEUED', $2, 0, $3, $4, $5, $6, {})",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1),
        dialect.uuid_parameter(7)
    );
    let criteria = Criteria { search: None, ..of.criteria.clone() };
    let values = [
        id.to_string().into(),
        json!(criteria).to_string().into(),
        of.terms.allow_connected.into(),
        request.allow_pending_messages.into(),
        request.principal.clone().into(),
        dialect.timestamp_param(db.settings().clock.now()),
        of.id.to_string().into(),
    ];
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}

/// Inserts the sessions of the other run's deletions, those of the newest deletion first. Deletions that have been
/// restored are left out; those without an archive are listed as skipped.
async fn insert_sessions(transaction: &DatabaseTransaction, db: &Database, of: Uuid, run: Uuid) -> Result<(), Error> {
    let dialect = db.dialect();
    let sql = format!(
        "INSERT INTO {} (run_id, position, session_id, state, code, message, deletion_id) \
         SELECT {}, deleted.position, deleted.session_id, CASE WHEN deleted.restorable THEN 'QUEUED' ELSE 'SKIPPED' END, \
         CASE WHEN deleted.restorable THEN NULL ELSE 'ARCHIVE_GONE' END, \
         CASE WHEN deleted.restorable THEN NULL ELSE 'The archive of its deletion has expired, was erased, or never existed.' END, \
         deleted.deletion_id FROM ({}) deleted",
        db.internal_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1),
        sessions_to_restore(db, &dialect.uuid_parameter(2), "$3")
    );
    let values = [run.to_string().into(), of.to_string().into(), dialect.timestamp_param(db.settings().clock.now())];
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}

/// Records how many sessions are on the list, and how many of them are skipped.
async fn count_sessions(transaction: &DatabaseTransaction, db: &Database, run: Uuid) -> Result<(), Error> {
    let (dialect, sessions) = (db.dialect(), db.internal_table("cleanup_run_sessions"));
    let of_run = format!("SELECT count(*) FROM {sessions} WHERE run_id = {}", dialect.uuid_parameter(1));
    let sql = format!(
        "UPDATE {} SET sessions_total = ({of_run}), sessions_skipped = ({of_run} AND state = 'SKIPPED') WHERE id = {}",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    transaction.execute_raw(dialect.statement(sql, [run.to_string().into()])).await?;
    Ok(())
}

/// Returns why nothing that a run deleted can be restored.
async fn nothing_to_restore(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
) -> Result<(RefusalCode, String), Error> {
    Ok(if count_restored(transaction, db, run).await? > 0 {
        (RefusalCode::AlreadyRestored, "The deletions of the run have already been restored.".to_owned())
    } else {
        (
            RefusalCode::ArchiveGone,
            "The archives of the run's deletions have expired, were erased, or never existed.".to_owned(),
        )
    })
}

/// Restores the next deletion, or sets its sessions aside, or ends the run. Returns false where another worker has the
/// run.
pub(super) async fn restore_next(db: &Database, run: &CleanupRun, lease: &RunLease) -> Result<bool, Error> {
    let Some((deletion_id, sessions)) = next_deletion(db, run.id).await? else {
        return run_progress::complete(db, lease, "restored").await;
    };
    let request = RestoreRequest {
        deletion_id,
        allow_pending_messages: run.terms.allow_pending_messages,
        dry_run: false,
        principal: run.started_by.clone(),
    };
    let (code, message) = match restore_batch(db, &request, &RestoreBatch { db, lease }).await {
        Ok(None) => return Ok(false),
        Ok(Some(outcome)) => match skip_reason(&outcome) {
            None => return Ok(true),
            Some(reason) => reason,
        },
        // Other deletions may still be restored.
        Err(error) => {
            let refusal = refuse_batch_error(db.dialect(), error)?;
            (refusal.code, refusal.message)
        }
    };
    let skipped: Vec<SkippedSession> =
        sessions.into_iter().map(|session| SkippedSession::new(session, code, message.clone())).collect();
    run_progress::set_aside(db, lease, &skipped, SessionState::Skipped).await
}

/// Returns why a deletion was not restored: its first conflict, or its refusal.
fn skip_reason(outcome: &RestoreOutcome) -> Option<(RefusalCode, String)> {
    let refusal = outcome.refusals.first()?;
    let Some(first) = outcome.conflicts.first().filter(|_| refusal.code == RefusalCode::RestoreConflict) else {
        return Some((refusal.code, refusal.message.clone()));
    };
    let row = [first.table.as_str(), first.key.as_str()].join(" ");
    let row = if row.trim().is_empty() { String::new() } else { format!("{}: ", row.trim()) };
    let more = match outcome.conflicts.len() - 1 {
        0 => String::new(),
        more => {
            format!(" And {more} more; a dry run of the restore of the deletion {} lists them.", deletion_id(outcome))
        }
    };
    Some((refusal.code, format!("{row}{}{more}", first.message)))
}

fn deletion_id(outcome: &RestoreOutcome) -> String {
    outcome.deletion.as_ref().map(|deletion| deletion.id.to_string()).unwrap_or_default()
}

/// Returns the next deletion to restore, with its sessions.
async fn next_deletion(db: &Database, run: Uuid) -> Result<Option<(Uuid, Vec<Uuid>)>, Error> {
    let dialect = db.dialect();
    let (table, of_run) = (db.internal_table("cleanup_run_sessions"), dialect.uuid_parameter(1));
    let sql = format!(
        "SELECT session_id, CAST(deletion_id AS text) AS deletion_id FROM {table} WHERE run_id = {of_run} AND state = 'QUEUED' \
         AND deletion_id = (SELECT deletion_id FROM {table} WHERE run_id = {of_run} AND state = 'QUEUED' \
         ORDER BY position LIMIT 1) ORDER BY position"
    );
    let rows = db.pool().query_all_raw(dialect.statement(sql, [run.to_string().into()])).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let deletion = id(&first.try_get::<String>("", "deletion_id")?)?;
    let sessions = rows.iter().map(|row| id(&row.try_get::<String>("", "session_id")?)).collect::<Result<_, _>>()?;
    Ok(Some((deletion, sessions)))
}
