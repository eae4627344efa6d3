//! Creating a cleanup run: its list of sessions is compared with the expected impact, and fixed.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use uuid::Uuid;

use super::eligibility::{EligibilityRules, partition};
use super::gateway_filter::{Selection, select_missing_from_gateway};
use super::model::{CleanupOutcome, CleanupRequest, SkippedSession};
use super::preview::PlannedCleanup;
use super::run_record::find_many;
use crate::catalog::SESSIONS;
use crate::db::{Database, Dialect, TableColumns, WriteTransaction, distinct};
use crate::deletion::refusals;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::idempotency;
use crate::idempotency::{Created, IdempotentRequest, Replay};
use crate::impact::Impact;
use crate::impact::token::ExpectedImpact;
use crate::refusal::RefusalCode;
use crate::session::queries;

/// Creates the requested run, or returns the refusals. No session is deleted yet. A dry run creates nothing. If a
/// criterion concerns the gateway, the gateway is queried first.
///
/// # Errors
/// Everything that is not a refusal: [`Error::BadInput`], [`Error::Unavailable`], [`Error::Timeout`].
pub async fn create_run(
    db: &Database,
    gateway: Option<&Gateway>,
    request: &CleanupRequest,
) -> Result<CleanupOutcome, Error> {
    request.terms.check()?;
    let expected = request.terms.expected_impact.as_deref().map(ExpectedImpact::parse).transpose()?;
    let selection = select_missing_from_gateway(db, gateway, &request.criteria).await?;
    let outcome = if request.dry_run {
        dry_run(db, gateway, request, expected.as_ref(), selection.as_ref()).await
    } else {
        create(db, request, expected.as_ref(), selection.as_ref()).await
    };
    refuse_lock_timeout(outcome)
}

/// Creates the requested run from a selection. The run contains the selected sessions that still meet the criteria, and
/// the skipped sessions with their reasons.
///
/// # Errors
/// Returns the errors of [`create_run`].
pub(super) async fn create_run_for(
    db: &Database,
    request: &CleanupRequest,
    selection: &Selection,
) -> Result<CleanupOutcome, Error> {
    refuse_lock_timeout(create(db, request, None, Some(selection)).await)
}

/// Converts a lock timeout into a refusal.
fn refuse_lock_timeout(outcome: Result<CleanupOutcome, Error>) -> Result<CleanupOutcome, Error> {
    match outcome {
        Err(Error::LockTimeout(source)) => {
            tracing::info!(target: "session_admin::cleanup", %source, "a cleanup gave up waiting for a lock");
            Ok(CleanupOutcome { refusals: vec![refusals::lock_timeout("deletion")], ..CleanupOutcome::default() })
        }
        other => other,
    }
}

async fn create(
    db: &Database,
    request: &CleanupRequest,
    expected: Option<&ExpectedImpact>,
    selection: Option<&Selection>,
) -> Result<CleanupOutcome, Error> {
    let WriteTransaction { transaction, writer_guard: _writer_guard } = db.begin_write(true).await?;
    match insert(&transaction, db, request, expected, selection).await {
        Ok(outcome) if outcome.run.is_some() => {
            transaction.commit().await?;
            Ok(outcome)
        }
        other => {
            // The first error is the one to report.
            let _ = transaction.rollback().await;
            other
        }
    }
}

async fn dry_run(
    db: &Database,
    gateway: Option<&Gateway>,
    request: &CleanupRequest,
    expected: Option<&ExpectedImpact>,
    selection: Option<&Selection>,
) -> Result<CleanupOutcome, Error> {
    let snapshot = db.snapshot().await?;
    let PlannedCleanup { ids, impact } = PlannedCleanup::load(&snapshot, db, &request.criteria, selection).await?;
    let not_listed = not_listed(&snapshot, db, request, &ids, selection).await?;
    snapshot.commit().await?;
    let Selection { selected, mut skipped, .. } =
        partition(db, gateway, &EligibilityRules::for_request(db, request), &ids).await?;
    let snapshot = db.snapshot().await?;
    let would_go = PlannedCleanup::of_sessions(&snapshot, db, selected).await?.impact;
    snapshot.commit().await?;
    let (mut refusals, changes) = refusals::check_totals(expected, &impact, request.terms.at_most);
    // Such a run would fail.
    if would_go.session_count == 0 && skipped.iter().any(|skipped| skipped.code == RefusalCode::BlockedByForeignKey) {
        refusals.push(refusals::blocked(&impact.blockers));
    }
    skipped.extend(not_listed);
    let (impact, would_go) = (Some(impact), Some(would_go));
    Ok(CleanupOutcome { impact, would_go, skipped, changes, refusals, ..CleanupOutcome::default() })
}

/// Does everything that creates a run, within its transaction.
async fn insert(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &CleanupRequest,
    expected: Option<&ExpectedImpact>,
    selection: Option<&Selection>,
) -> Result<CleanupOutcome, Error> {
    let idempotent = request.idempotent_request();
    match idempotency::find(transaction, db, idempotent.as_ref()).await? {
        Replay::None => {}
        Replay::Mismatch(refusal) => {
            return Ok(CleanupOutcome { refusals: vec![refusal], ..CleanupOutcome::default() });
        }
        Replay::Found(created, impact) => return replay(transaction, db, created, impact).await,
    }
    let PlannedCleanup { ids, impact } = PlannedCleanup::load(transaction, db, &request.criteria, selection).await?;
    let (refusals, changes) = refusals::check_totals(expected, &impact, request.terms.at_most);
    if !refusals.is_empty() {
        return Ok(CleanupOutcome { impact: Some(impact), changes, refusals, ..CleanupOutcome::default() });
    }
    let skipped = not_listed(transaction, db, request, &ids, selection).await?;
    let id = Uuid::new_v4();
    // The list is the one whose impact was compared, whatever has been committed since.
    insert_run(transaction, db, request, id, &ids, &skipped).await?;
    insert_sessions(transaction, db, id, &ids, &skipped).await?;
    idempotency::store(transaction, db, idempotent.as_ref(), Created::Run(id), &impact).await?;
    let run = find_many(transaction, db, &[id]).await?.pop();
    Ok(CleanupOutcome { run, impact: Some(impact), ..CleanupOutcome::default() })
}

/// Returns the outcome of an earlier request under the same idempotency key.
async fn replay(
    transaction: &DatabaseTransaction,
    db: &Database,
    created: Created,
    impact: Option<Impact>,
) -> Result<CleanupOutcome, Error> {
    let run = match created {
        Created::Run(id) => find_many(transaction, db, &[id]).await?.pop(),
        Created::Deletion(_) => None,
    };
    Ok(CleanupOutcome { run, impact, repeated: true, ..CleanupOutcome::default() })
}

impl CleanupRequest {
    /// Returns the request as it is stored under its idempotency key.
    fn idempotent_request(&self) -> Option<IdempotentRequest> {
        self.terms.idempotent_request(&self.principal, &json!({ "criteria": self.criteria }))
    }
}

/// Returns the sessions that are not on the list because of the gateway, or although they were named, with the reasons.
async fn not_listed(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &CleanupRequest,
    ids: &[Uuid],
    selection: Option<&Selection>,
) -> Result<Vec<SkippedSession>, Error> {
    let mut not_listed = not_selected(transaction, db, request, ids).await?;
    if let Some(selection) = selection {
        // The gateway's answer about a named session is the better reason.
        not_listed.retain(|session| !selection.skips(session.session_id));
        not_listed.extend(selection.skipped.iter().cloned());
    }
    Ok(not_listed)
}

/// Returns the sessions that were named and are not on the list.
async fn not_selected(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &CleanupRequest,
    ids: &[Uuid],
) -> Result<Vec<SkippedSession>, Error> {
    let named = distinct(request.criteria.ids.as_deref().unwrap_or_default());
    let not_selected: Vec<Uuid> = named.into_iter().filter(|id| !ids.contains(id)).collect();
    if not_selected.is_empty() {
        return Ok(Vec::new());
    }
    let columns = TableColumns::load(transaction, db, SESSIONS).await?;
    let existing = queries::find_in(transaction, db, &columns, &not_selected).await?;
    let skipped = |id: Uuid| match (existing.iter().any(|session| session.id == id), request.criteria.limit) {
        (false, _) => SkippedSession::not_found(id),
        (true, None) => SkippedSession::new(
            id,
            RefusalCode::NoLongerMatches,
            "The session was given by its id, but does not meet the other criteria.",
        ),
        (true, Some(limit)) => {
            let message = format!(
                "The session was given by its id, but does not meet the other criteria, or is not among the first {limit}."
            );
            SkippedSession::new(id, RefusalCode::NoLongerMatches, message)
        }
    };
    Ok(not_selected.into_iter().map(skipped).collect())
}

async fn insert_run(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &CleanupRequest,
    id: Uuid,
    ids: &[Uuid],
    skipped: &[SkippedSession],
) -> Result<(), Error> {
    let dialect = db.dialect();
    let sql = format!(
        "INSERT INTO {} (id, kind, status, criteria, sessions_total, sessions_skipped, at_most, allow_connected, \
         allow_pending_messages, started_by, reason, created_at, archive) \
         VALUES ({}, 'DELETE', 'QUEUED', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        db.internal_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let values = [
        id.to_string().into(),
        json!(request.criteria).to_string().into(),
        number(ids.len() + skipped.len()).into(),
        number(skipped.len()).into(),
        request.terms.at_most.into(),
        request.terms.allow_connected.into(),
        request.terms.allow_pending_messages.into(),
        request.principal.clone().into(),
        request.terms.reason.clone().into(),
        dialect.timestamp_param(db.settings().clock.now()),
        request.terms.archive.into(),
    ];
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}

/// Inserts all sessions of a run with one statement.
async fn insert_sessions(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    ids: &[Uuid],
    skipped: &[SkippedSession],
) -> Result<(), Error> {
    let dialect = db.dialect();
    let (position, listed) = match dialect {
        Dialect::Postgres => {
            ("(number - 1)::int", "jsonb_array_elements($2::jsonb) WITH ORDINALITY AS listed(value, number)")
        }
        Dialect::Sqlite => ("key", "json_each($2)"),
    };
    let sql = format!(
        "INSERT INTO {} (run_id, position, session_id, state, code, message) SELECT {}, {position}, value ->> 'id', \
         CASE WHEN value ->> 'code' IS NULL THEN 'QUEUED' ELSE 'SKIPPED' END, value ->> 'code', value ->> 'message' \
         FROM {listed}",
        db.internal_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1)
    );
    let queued = ids.iter().map(|id| json!({ "id": id }));
    let sessions: Vec<_> = queued.chain(skipped.iter().map(|session| json!(session))).collect();
    let values = [run.to_string().into(), json!(sessions).to_string().into()];
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}
