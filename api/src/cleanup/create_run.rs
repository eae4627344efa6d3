//! Asking for a cleanup: the list of its sessions is compared, and fixed.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde_json::json;
use uuid::Uuid;

use super::eligibility::{EligibilityRules, sort_out};
use super::gateway_filter::{Picked, asked};
use super::model::{CleanupOutcome, CleanupRequest, SkippedSession};
use super::preview::Selected;
use super::run_record::find_many;
use crate::catalog::SESSIONS;
use crate::db::{Columns, Database, Dialect, Writing, distinct};
use crate::deletion::refusals;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::idempotency;
use crate::idempotency::{Created, IdempotentRequest, Replay};
use crate::impact::Impact;
use crate::impact::token::Looked;
use crate::refusal::RefusalCode;
use crate::session::queries;

/// Makes a run of what is asked for, or says why not; no session is deleted yet. On a dry run nothing is made. The gateway
/// is asked before all that, where the criteria are about it.
///
/// # Errors
/// What is not a refusal: [`Error::BadInput`], [`Error::Unavailable`], [`Error::Timeout`].
pub async fn start(
    db: &Database,
    gateway: Option<&Gateway>,
    request: &CleanupRequest,
) -> Result<CleanupOutcome, Error> {
    request.terms.check()?;
    let looked = request.terms.expected_impact.as_deref().map(Looked::read).transpose()?;
    let picked = asked(db, gateway, &request.criteria).await?;
    let outcome = if request.dry_run {
        dry_run(db, gateway, request, looked.as_ref(), picked.as_ref()).await
    } else {
        make(db, request, looked.as_ref(), picked.as_ref()).await
    };
    or_refused(outcome)
}

/// Makes a run of what is asked for, of no other sessions than these: those that are taken, where they still meet the
/// criteria; those that are left are listed with their reasons.
///
/// # Errors
/// Those of [`start`].
pub(super) async fn start_of(
    db: &Database,
    request: &CleanupRequest,
    picked: &Picked,
) -> Result<CleanupOutcome, Error> {
    or_refused(make(db, request, None, Some(picked)).await)
}

/// A lock that was not to be had is a refusal.
fn or_refused(outcome: Result<CleanupOutcome, Error>) -> Result<CleanupOutcome, Error> {
    match outcome {
        Err(Error::LockTimeout(source)) => {
            tracing::info!(%source, "a cleanup gave up waiting for a lock");
            Ok(CleanupOutcome { refusals: vec![refusals::lock_timeout("deletion")], ..CleanupOutcome::default() })
        }
        other => other,
    }
}

async fn make(
    db: &Database,
    request: &CleanupRequest,
    looked: Option<&Looked>,
    picked: Option<&Picked>,
) -> Result<CleanupOutcome, Error> {
    let Writing { transaction, turn: _turn } = db.writing(true).await?;
    match begin(&transaction, db, request, looked, picked).await {
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
    looked: Option<&Looked>,
    picked: Option<&Picked>,
) -> Result<CleanupOutcome, Error> {
    let snapshot = db.snapshot().await?;
    let Selected { ids, impact } = Selected::now(&snapshot, db, &request.criteria, picked).await?;
    let missed = left_out(&snapshot, db, request, &ids, picked).await?;
    snapshot.commit().await?;
    let Picked { taken, left: mut skipped, .. } =
        sort_out(db, gateway, &EligibilityRules::now(db, request), &ids).await?;
    let snapshot = db.snapshot().await?;
    let would_go = Selected::of(&snapshot, db, taken).await?.impact;
    snapshot.commit().await?;
    let (mut refusals, changes) = refusals::of_whole(looked, &impact, request.terms.at_most);
    // Such a run would fail.
    if would_go.session_count == 0 && skipped.iter().any(|skipped| skipped.code == RefusalCode::BlockedByForeignKey) {
        refusals.push(refusals::blocked(&impact.blockers));
    }
    skipped.extend(missed);
    let (impact, would_go) = (Some(impact), Some(would_go));
    Ok(CleanupOutcome { impact, would_go, skipped, changes, refusals, ..CleanupOutcome::default() })
}

/// All that makes a run, within its transaction.
async fn begin(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &CleanupRequest,
    looked: Option<&Looked>,
    picked: Option<&Picked>,
) -> Result<CleanupOutcome, Error> {
    let idempotent = request.idempotent_request();
    match idempotency::find(transaction, db, idempotent.as_ref()).await? {
        Replay::None => {}
        Replay::Mismatch(refusal) => {
            return Ok(CleanupOutcome { refusals: vec![refusal], ..CleanupOutcome::default() });
        }
        Replay::Found(created, impact) => return replay(transaction, db, created, impact).await,
    }
    let Selected { ids, impact } = Selected::now(transaction, db, &request.criteria, picked).await?;
    let (refusals, changes) = refusals::of_whole(looked, &impact, request.terms.at_most);
    if !refusals.is_empty() {
        return Ok(CleanupOutcome { impact: Some(impact), changes, refusals, ..CleanupOutcome::default() });
    }
    let missed = left_out(transaction, db, request, &ids, picked).await?;
    let id = Uuid::new_v4();
    // The list is the one that was compared, whatever has been committed since.
    record(transaction, db, request, id, &ids, &missed).await?;
    list(transaction, db, id, &ids, &missed).await?;
    idempotency::store(transaction, db, idempotent.as_ref(), Created::Run(id), &impact).await?;
    let run = find_many(transaction, db, &[id]).await?.pop();
    Ok(CleanupOutcome { run, impact: Some(impact), ..CleanupOutcome::default() })
}

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

/// The sessions that are not on the list, and would be but for the other criteria or the gateway.
async fn left_out(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &CleanupRequest,
    ids: &[Uuid],
    picked: Option<&Picked>,
) -> Result<Vec<SkippedSession>, Error> {
    let mut missed = missed(transaction, db, request, ids).await?;
    if let Some(picked) = picked {
        // What was said of a session that was named is the better reason.
        missed.retain(|missed| !picked.left.iter().any(|left| left.session_id == missed.session_id));
        missed.extend(picked.left.iter().cloned());
    }
    Ok(missed)
}

/// The sessions that were named and are not on the list.
async fn missed(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &CleanupRequest,
    ids: &[Uuid],
) -> Result<Vec<SkippedSession>, Error> {
    let named = distinct(request.criteria.ids.as_deref().unwrap_or_default());
    let missed: Vec<Uuid> = named.into_iter().filter(|id| !ids.contains(id)).collect();
    if missed.is_empty() {
        return Ok(Vec::new());
    }
    let columns = Columns::now(transaction, db, SESSIONS).await?;
    let existing = queries::find_in(transaction, db, &columns, &missed).await?;
    let why = |id: Uuid| match (existing.iter().any(|session| session.id == id), request.criteria.limit) {
        (false, _) => SkippedSession::not_found(id),
        (true, None) => {
            SkippedSession::new(id, RefusalCode::NoLongerMatches, "It was named, but does not meet the other criteria.")
        }
        (true, Some(limit)) => {
            let message =
                format!("It was named, but does not meet the other criteria or is not among the first {limit}.");
            SkippedSession::new(id, RefusalCode::NoLongerMatches, message)
        }
    };
    Ok(missed.into_iter().map(why).collect())
}

async fn record(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &CleanupRequest,
    id: Uuid,
    ids: &[Uuid],
    missed: &[SkippedSession],
) -> Result<(), Error> {
    let dialect = db.dialect();
    let sql = format!(
        "INSERT INTO {} (id, kind, status, criteria, sessions_total, sessions_skipped, at_most, allow_connected, \
         allow_pending_messages, started_by, reason, created_at, archive) \
         VALUES ({}, 'DELETE', 'QUEUED', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        db.own_table("cleanup_runs"),
        dialect.uuid_parameter(1)
    );
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let values = [
        id.to_string().into(),
        json!(request.criteria).to_string().into(),
        number(ids.len() + missed.len()).into(),
        number(missed.len()).into(),
        request.terms.at_most.into(),
        request.terms.allow_connected.into(),
        request.terms.allow_pending_messages.into(),
        request.principal.clone().into(),
        request.terms.reason.clone().into(),
        dialect.time(db.settings().clock.now()),
        request.terms.archive.into(),
    ];
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}

/// All sessions of the run in one statement.
async fn list(
    transaction: &DatabaseTransaction,
    db: &Database,
    run: Uuid,
    ids: &[Uuid],
    missed: &[SkippedSession],
) -> Result<(), Error> {
    let dialect = db.dialect();
    let (position, listed) = match dialect {
        Dialect::Postgres => {
            ("(place - 1)::int", "jsonb_array_elements($2::jsonb) WITH ORDINALITY AS listed(value, place)")
        }
        Dialect::Sqlite => ("key", "json_each($2)"),
    };
    let sql = format!(
        "INSERT INTO {} (run_id, position, session_id, state, code, message) SELECT {}, {position}, value ->> 'id', \
         CASE WHEN value ->> 'code' IS NULL THEN 'QUEUED' ELSE 'SKIPPED' END, value ->> 'code', value ->> 'message' \
         FROM {listed}",
        db.own_table("cleanup_run_sessions"),
        dialect.uuid_parameter(1)
    );
    let queued = ids.iter().map(|id| json!({ "id": id }));
    let sessions: Vec<_> = queued.chain(missed.iter().map(|missed| json!(missed))).collect();
    let values = [run.to_string().into(), json!(sessions).to_string().into()];
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}
