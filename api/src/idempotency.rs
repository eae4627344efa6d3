//! A request that was committed under a key is answered again, and nothing more is done.

use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DatabaseTransaction};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::db::{Database, Dialect};
use crate::error::Error;
use crate::impact::Impact;
use crate::refusal::{Refusal, RefusalCode};

/// How long a key is remembered.
const KEPT: TimeDelta = TimeDelta::days(7);
/// The longest key, in characters.
const LONGEST_KEY: usize = 255;

/// A request under a key.
pub(crate) struct Keyed {
    principal: String,
    key: String,
    fingerprint: String,
}

/// What a request made.
pub(crate) enum Made {
    /// A deletion.
    Deletion(Uuid),
    /// A cleanup run.
    Run(Uuid),
}

/// What is known of a request's key.
pub(crate) enum Earlier {
    /// Nothing, or no key was given.
    None,
    /// The same request was committed, with what it made and the impact that was answered.
    Answered(Made, Option<Impact>),
    /// Another request was.
    OtherInput(Refusal),
}

impl Keyed {
    /// `said` is what makes two requests the same: all but the key and the principal, which are looked up by.
    pub fn new(principal: &str, key: &str, said: &str) -> Self {
        let fingerprint = Sha256::digest(said).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { principal: principal.to_owned(), key: key.to_owned(), fingerprint }
    }
}

/// Checks the key itself.
pub(crate) fn check(key: Option<&String>) -> Result<(), Error> {
    let fits = |key: &String| !key.is_empty() && key.chars().count() <= LONGEST_KEY && !key.contains('\0');
    if key.is_none_or(fits) {
        return Ok(());
    }
    Err(Error::BadInput(format!("idempotencyKey must have 1 to {LONGEST_KEY} characters, none of them NUL.")))
}

/// Looks the key up. On PostgreSQL a second request with the same key waits here until the first has ended; SQLite has
/// one writer at a time anyway.
pub(crate) async fn earlier(
    transaction: &DatabaseTransaction,
    db: &Database,
    keyed: Option<&Keyed>,
) -> Result<Earlier, Error> {
    let Some(Keyed { principal, key, fingerprint }) = keyed else {
        return Ok(Earlier::None);
    };
    if db.dialect() == Dialect::Postgres {
        let turn = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
        let name = format!("session_admin {principal} {key}");
        transaction.execute_raw(db.dialect().statement(turn, [name.into()])).await?;
    }
    let table = db.own_table("idempotency_keys");
    let since = db.dialect().time(db.settings().clock.now() - KEPT);
    let find = format!(
        "SELECT CAST(deletion_id AS text) AS deletion_id, CAST(run_id AS text) AS run_id, fingerprint, impact \
         FROM {table} WHERE principal = $1 AND key = $2 AND created_at >= $3"
    );
    let values = [principal.clone().into(), key.clone().into(), since];
    let Some(row) = transaction.query_one_raw(db.dialect().statement(find, values)).await? else {
        return Ok(Earlier::None);
    };
    if row.try_get::<String>("", "fingerprint")? != *fingerprint {
        return Ok(Earlier::OtherInput(Refusal::about(
            "input.idempotencyKey",
            RefusalCode::IdempotencyKeyReused,
            "This idempotency key was used for another request. Use a new key for every deletion and cleanup.",
        )));
    }
    let id = |column: &str| -> Result<Option<Uuid>, Error> {
        Ok(row.try_get::<Option<String>>("", column)?.and_then(|id| id.parse().ok()))
    };
    let made = match (id("deletion_id")?, id("run_id")?) {
        (Some(deletion), _) => Made::Deletion(deletion),
        (None, Some(run)) => Made::Run(run),
        (None, None) => return Err(Error::Unsuitable("A remembered request names nothing that it made.".to_owned())),
    };
    let impact: String = row.try_get("", "impact")?;
    Ok(Earlier::Answered(made, serde_json::from_str(&impact).ok()))
}

/// Remembers what was made under a key, and forgets the keys that are too old.
pub(crate) async fn remember(
    transaction: &DatabaseTransaction,
    db: &Database,
    keyed: Option<&Keyed>,
    made: Made,
    impact: &Impact,
) -> Result<(), Error> {
    let Some(Keyed { principal, key, fingerprint }) = keyed else {
        return Ok(());
    };
    let (table, dialect) = (db.own_table("idempotency_keys"), db.dialect());
    let now = db.settings().clock.now();
    let forget = dialect.statement(format!("DELETE FROM {table} WHERE created_at < $1"), [dialect.time(now - KEPT)]);
    transaction.execute_raw(forget).await?;
    let (column, id) = match made {
        Made::Deletion(id) => ("deletion_id", id),
        Made::Run(id) => ("run_id", id),
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
        dialect.time(now),
    ];
    transaction.execute_raw(dialect.statement(insert, values)).await?;
    Ok(())
}

/// Returns a condition: the run was made by a request of this principal under this key. All three arguments are SQL.
pub(crate) fn made_run(db: &Database, run: &str, principal: &str, key: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM {} request WHERE request.run_id = {run} AND request.principal = {principal} \
         AND request.key = {key})",
        db.own_table("idempotency_keys")
    )
}
