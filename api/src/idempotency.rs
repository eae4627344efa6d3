//! Idempotency keys. A request that was committed under a key is answered with its first outcome and is not executed
//! again.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::db::{Database, Dialect};
use crate::error::Error;
use crate::impact::Impact;
use crate::refusal::{Refusal, RefusalCode};

/// The time for which a key is stored.
const RETENTION: TimeDelta = TimeDelta::days(7);
/// The maximum length of a key, in characters.
const MAX_KEY_LENGTH: usize = 255;
/// The version of the fingerprinted representation. A change of the representation requires a new version, so that a
/// request from before the change cannot match a different one.
const FINGERPRINT_VERSION: u32 = 1;

/// A request with an idempotency key.
pub(crate) struct IdempotentRequest {
    principal: String,
    key: String,
    fingerprint: String,
}

/// The object that a request created.
pub(crate) enum Created {
    /// A deletion.
    Deletion(Uuid),
    /// A cleanup run.
    Run(Uuid),
}

/// The record that is stored under a request's key.
pub(crate) enum Replay {
    /// No record is stored, or the request has no key.
    None,
    /// An equal request was committed earlier. Holds what it created and the impact that it returned.
    Found(Created, Option<Impact>),
    /// A different request was committed under the key.
    Mismatch(Refusal),
}

impl IdempotentRequest {
    /// Creates a request of a principal under a key.
    ///
    /// Two requests are the same if `terms` and `target` serialize equally: the fingerprint is the SHA-256 of the JSON
    /// array of version, terms and target.
    pub fn new(principal: &str, key: &str, terms: &impl Serialize, target: &impl Serialize) -> Self {
        let serialized = serde_json::to_vec(&(FINGERPRINT_VERSION, terms, target)).unwrap_or_default();
        let fingerprint = Sha256::digest(serialized).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { principal: principal.to_owned(), key: key.to_owned(), fingerprint }
    }
}

/// Checks the length and the characters of a key.
///
/// # Errors
/// Returns [`Error::BadInput`] if the key is empty or too long, or contains a NUL.
pub(crate) fn check(key: Option<&String>) -> Result<(), Error> {
    let is_valid = |key: &String| !key.is_empty() && key.chars().count() <= MAX_KEY_LENGTH && !key.contains('\0');
    if key.is_none_or(is_valid) {
        return Ok(());
    }
    Err(Error::BadInput(format!("idempotencyKey must have 1 to {MAX_KEY_LENGTH} characters, none of them NUL.")))
}

/// Looks up the record that is stored under the key of a request.
///
/// On PostgreSQL, a second request with the same key waits here until the transaction of the first has ended. SQLite
/// has only one writer at a time.
///
/// # Errors
/// Returns [`Error::LockTimeout`], [`Error::Unavailable`] or [`Error::Timeout`].
pub(crate) async fn find(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: Option<&IdempotentRequest>,
) -> Result<Replay, Error> {
    let Some(IdempotentRequest { principal, key, fingerprint }) = request else {
        return Ok(Replay::None);
    };
    if db.dialect() == Dialect::Postgres {
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
        let name = format!("session_admin {principal} {key}");
        transaction.execute_raw(db.dialect().statement(lock, [name.into()])).await?;
    }
    let table = db.internal_table("idempotency_keys");
    let since = db.dialect().timestamp_param(db.settings().clock.now() - RETENTION);
    let select = format!(
        "SELECT CAST(deletion_id AS text) AS deletion_id, CAST(run_id AS text) AS run_id, fingerprint, impact \
         FROM {table} WHERE principal = $1 AND key = $2 AND created_at >= $3"
    );
    let values = [principal.clone().into(), key.clone().into(), since];
    let Some(row) = transaction.query_one_raw(db.dialect().statement(select, values)).await? else {
        return Ok(Replay::None);
    };
    if row.try_get::<String>("", "fingerprint")? != *fingerprint {
        return Ok(Replay::Mismatch(Refusal::for_field(
            "input.idempotencyKey",
            RefusalCode::IdempotencyKeyReused,
            "This idempotency key was used for another request. Use a new key for every deletion and cleanup.",
        )));
    }
    let id = |column: &str| -> Result<Option<Uuid>, Error> {
        Ok(row.try_get::<Option<String>>("", column)?.and_then(|id| id.parse().ok()))
    };
    let created = match (id("deletion_id")?, id("run_id")?) {
        (Some(deletion), _) => Created::Deletion(deletion),
        (None, Some(run)) => Created::Run(run),
        (None, None) => {
            return Err(Error::IncompatibleDatabase(
                "A stored request names neither a deletion nor a cleanup run.".to_owned(),
            ));
        }
    };
    let impact: String = row.try_get("", "impact")?;
    Ok(Replay::Found(created, serde_json::from_str(&impact).ok()))
}

/// Stores what a request created under its key, and deletes expired keys.
///
/// # Errors
/// Returns [`Error::Unavailable`] or [`Error::Timeout`].
pub(crate) async fn store(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: Option<&IdempotentRequest>,
    created: Created,
    impact: &Impact,
) -> Result<(), Error> {
    let Some(IdempotentRequest { principal, key, fingerprint }) = request else {
        return Ok(());
    };
    let (table, dialect) = (db.internal_table("idempotency_keys"), db.dialect());
    let now = db.settings().clock.now();
    let delete_old = format!("DELETE FROM {table} WHERE created_at < $1");
    transaction.execute_raw(dialect.statement(delete_old, [dialect.timestamp_param(now - RETENTION)])).await?;
    let (column, id) = match created {
        Created::Deletion(id) => ("deletion_id", id),
        Created::Run(id) => ("run_id", id),
    };
    let insert = format!(
        "INSERT INTO {table} (principal, key, fingerprint, {column}, impact, created_at) \
         VALUES ($1, $2, $3, {}, $5, $6)",
        dialect.uuid_parameter(4)
    );
    let values = [
        principal.clone().into(),
        key.clone().into(),
        fingerprint.clone().into(),
        id.to_string().into(),
        serde_json::to_string(impact).unwrap_or_default().into(),
        dialect.timestamp_param(now),
    ];
    transaction.execute_raw(dialect.statement(insert, values)).await?;
    Ok(())
}

/// Returns the SQL condition that a run was created by a request of a principal under a key. All three arguments are
/// SQL expressions.
pub(crate) fn made_run(db: &Database, run: &str, principal: &str, key: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM {} request WHERE request.run_id = {run} AND request.principal = {principal} \
         AND request.key = {key})",
        db.internal_table("idempotency_keys")
    )
}
