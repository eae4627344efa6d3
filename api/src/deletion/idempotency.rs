//! A deletion that was committed under a key is answered again, and nothing more is deleted.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Deletion, DeletionOutcome, DeletionRequest, trail};
use crate::db::{Database, Dialect};
use crate::error::Error;
use crate::impact::Impact;
use crate::refusal::{Refusal, RefusalCode};

/// How long a key is remembered.
const KEPT: TimeDelta = TimeDelta::days(7);

/// What is known of a request's key.
pub(super) enum Earlier {
    /// Nothing, or no key was given.
    None,
    /// The same request was committed.
    Answered(Box<DeletionOutcome>),
    /// Another request was.
    OtherInput(Refusal),
}

/// Looks the key up. On PostgreSQL a second request with the same key waits here until the first has ended; SQLite has
/// one writer at a time anyway.
pub(super) async fn earlier(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &DeletionRequest,
) -> Result<Earlier, Error> {
    let Some(key) = request.idempotency_key.as_ref().filter(|_| !request.dry_run) else {
        return Ok(Earlier::None);
    };
    if db.dialect() == Dialect::Postgres {
        let turn = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
        let name = format!("session_admin {} {key}", request.principal);
        transaction.execute_raw(db.dialect().statement(turn, [name.into()])).await?;
    }
    let table = db.own_table("idempotency_keys");
    let since = db.dialect().time(db.settings().clock.now() - KEPT);
    let find = format!(
        "SELECT CAST(deletion_id AS text) AS deletion_id, fingerprint, impact FROM {table} \
         WHERE principal = $1 AND key = $2 AND created_at >= $3"
    );
    let values = [request.principal.clone().into(), key.clone().into(), since];
    let Some(row) = transaction.query_one_raw(db.dialect().statement(find, values)).await? else {
        return Ok(Earlier::None);
    };
    if row.try_get::<String>("", "fingerprint")? != fingerprint(request) {
        return Ok(Earlier::OtherInput(Refusal::about(
            "input.idempotencyKey",
            RefusalCode::IdempotencyKeyReused,
            "This idempotency key was used for another request. Use a new key for every deletion.",
        )));
    }
    let id: String = row.try_get("", "deletion_id")?;
    let impact: String = row.try_get("", "impact")?;
    let deletion = match id.parse::<Uuid>() {
        Ok(id) => trail::find_in(transaction, db, id).await?,
        Err(_) => None,
    };
    let outcome =
        DeletionOutcome { deletion, impact: serde_json::from_str(&impact).ok(), ..DeletionOutcome::default() };
    Ok(Earlier::Answered(Box::new(outcome)))
}

/// Remembers a deletion under its key, and forgets the keys that are too old.
pub(super) async fn remember(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &DeletionRequest,
    deletion: &Deletion,
    impact: &Impact,
) -> Result<(), Error> {
    let Some(key) = &request.idempotency_key else {
        return Ok(());
    };
    let (table, dialect) = (db.own_table("idempotency_keys"), db.dialect());
    let now = db.settings().clock.now();
    let forget = dialect.statement(format!("DELETE FROM {table} WHERE created_at < $1"), [dialect.time(now - KEPT)]);
    transaction.execute_raw(forget).await?;
    let insert = format!(
        "INSERT INTO {table} (principal, key, fingerprint, deletion_id, impact, created_at) \
         VALUES ($1, $2, $3, {}, $5, $6)",
        dialect.uuid_parameter(4)
    );
    let values = [
        request.principal.clone().into(),
        key.clone().into(),
        fingerprint(request).into(),
        deletion.id.to_string().into(),
        serde_json::to_string(impact).unwrap_or_default().into(),
        dialect.time(now),
    ];
    transaction.execute_raw(dialect.statement(insert, values)).await?;
    Ok(())
}

/// What makes two requests the same: all but the key and the principal, which are looked up by.
fn fingerprint(request: &DeletionRequest) -> String {
    let said = format!(
        "{:?} {:?} {:?} {} {} {:?}",
        request.session_ids,
        request.expected_impact,
        request.at_most,
        request.allow_connected,
        request.allow_pending_messages,
        request.reason
    );
    Sha256::digest(said).iter().map(|byte| format!("{byte:02x}")).collect()
}
