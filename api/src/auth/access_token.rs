//! Access tokens. A token is printed once, when it is created; the database has its hash only.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use ring::rand::{SecureRandom as _, SystemRandom};
use sea_orm::{ConnectionTrait as _, QueryResult, Value};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use super::principal::{RESERVED, is_invisible};
use super::role::Role;
use crate::db::{Database, WriteTransaction};
use crate::error::Error;

/// The prefix of every token, by which people and scanners for leaked secrets recognise one.
pub const PREFIX: &str = "sadm_";
/// The random part of a token, in bytes.
const RANDOM: usize = 32;
/// The longest name, in characters.
const MAX_NAME: usize = 64;
/// The last year in which a token may expire. Later years have more than four digits, and SQLite's text format does not read
/// them back.
const LAST_YEAR: i32 = 9999;
/// The interval within which a further use of a token is not recorded.
pub(crate) const COARSE: TimeDelta = TimeDelta::hours(1);

/// A token's record, without the token and its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// The token's id.
    pub id: Uuid,
    /// The name under which changes made with the token are recorded.
    pub name: String,
    /// What the token allows.
    pub role: Role,
    /// Whether the token is valid.
    pub status: TokenStatus,
    /// When the token was created.
    pub created_at: DateTime<Utc>,
    /// When the token expires; none: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the token was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When a use was last recorded. Further uses within an hour are not recorded.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Whether a token is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TokenStatus {
    /// The token is valid.
    Active,
    /// The token has expired.
    Expired,
    /// The token was revoked.
    Revoked,
}

/// The text of a token, to be printed once. Its `Debug` output is redacted, for logs.
pub struct Secret(String);

impl Secret {
    /// Returns the text that is sent as `Authorization: Bearer …`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Creates a token.
///
/// # Errors
/// [`Error::BadInput`] for a name that is not valid or in use, or an expiry in the past; those of the database.
pub async fn create(
    db: &Database,
    name: &str,
    role: Role,
    expires_at: Option<DateTime<Utc>>,
) -> Result<(Token, Secret), Error> {
    check_name(name)?;
    let now = db.settings().clock.now();
    if expires_at.is_some_and(|moment| moment <= now) {
        return Err(Error::BadInput("The token would already have expired; give a time in the future.".to_owned()));
    }
    if expires_at.is_some_and(|moment| moment.year() > LAST_YEAR) {
        return Err(Error::BadInput(format!(
            "The token would expire after the year {LAST_YEAR}; use `never` instead."
        )));
    }
    let secret = generate_secret()?;
    let token = Token {
        id: Uuid::new_v4(),
        name: name.to_owned(),
        role,
        status: TokenStatus::Active,
        created_at: now,
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    let dialect = db.dialect();
    let sql = format!(
        "INSERT INTO {} (id, name, role, hash, created_at, expires_at) VALUES ({}, $2, $3, $4, $5, $6)",
        db.internal_table("tokens"),
        dialect.uuid_parameter(1)
    );
    let values = [
        token.id.to_string().into(),
        name.into(),
        role.name().into(),
        hash(secret.expose()).into(),
        dialect.timestamp_param(now),
        expires_at.map_or(dialect.null_timestamp_param(), |moment| dialect.timestamp_param(moment)),
    ];
    match write(db, &sql, values).await {
        // Only the unique index on the name can refuse it: no random token is generated twice.
        Err(Error::Refused(_)) => Err(Error::BadInput(format!(
            "A token with the name {name} already exists. Choose another name, or run `session-admin token revoke \
             {name}` first."
        ))),
        other => other.map(|_| (token, secret)),
    }
}

/// Returns all tokens, newest first.
///
/// # Errors
/// Returns the errors of the database.
pub async fn list(db: &Database) -> Result<Vec<Token>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM {} ORDER BY created_at DESC, id", db.internal_table("tokens"));
    let rows = db.pool().query_all_raw(db.dialect().statement(sql, [])).await?;
    rows.iter().map(|row| read_token(row, db.settings().clock.now())).collect()
}

/// Revokes the token with this id, or the unrevoked token with this name, and returns it. Returns `None` if there is no
/// such token. A token that has already been revoked is not changed.
///
/// # Errors
/// Returns the errors of the database.
pub async fn revoke(db: &Database, id_or_name: &str) -> Result<Option<Token>, Error> {
    let tokens = list(db).await?;
    let has_id = |token: &&Token| id_or_name.parse() == Ok(token.id);
    let has_name = |token: &&Token| token.name == id_or_name && token.revoked_at.is_none();
    let Some(token) = tokens.iter().find(has_id).or_else(|| tokens.iter().find(has_name)) else { return Ok(None) };
    let dialect = db.dialect();
    let sql = format!(
        "UPDATE {} SET revoked_at = $2 WHERE id = {} AND revoked_at IS NULL",
        db.internal_table("tokens"),
        dialect.uuid_parameter(1)
    );
    write(db, &sql, [token.id.to_string().into(), dialect.timestamp_param(db.settings().clock.now())]).await?;
    Ok(list(db).await?.into_iter().find(|found| found.id == token.id))
}

/// Returns whether any token has ever been created.
pub(super) async fn has_tokens(db: &Database) -> Result<bool, Error> {
    let sql = format!("SELECT 1 FROM {} LIMIT 1", db.internal_table("tokens"));
    Ok(db.pool().query_one_raw(db.dialect().statement(sql, [])).await?.is_some())
}

/// Returns whether a text has the format of this program's tokens.
pub(super) fn has_token_format(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(|rest| BASE64_URL_SAFE_NO_PAD.decode(rest).is_ok_and(|it| it.len() == RANDOM))
}

/// Returns the hash under which a token is stored. A token is random, so a slow hash would protect nothing, and no two are the
/// same, so neither would a salt.
pub(super) fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the token with this hash, valid or not.
pub(super) async fn find(db: &Database, hash: &str) -> Result<Option<Token>, Error> {
    let sql = format!("SELECT {COLUMNS}, hash FROM {} WHERE hash = $1", db.internal_table("tokens"));
    let Some(row) = db.pool().query_one_raw(db.dialect().statement(sql, [hash.into()])).await? else { return Ok(None) };
    // The index does not compare in constant time, but it compares hashes, which nobody can choose. This comparison does.
    let stored: String = row.try_get("", "hash")?;
    if !bool::from(stored.as_bytes().ct_eq(hash.as_bytes())) {
        return Ok(None);
    }
    read_token(&row, db.settings().clock.now()).map(Some)
}

/// Records that a token is used, unless this process or another has done so within the hour.
pub(super) async fn record_use(db: &Database, token: &Token) -> Result<(), Error> {
    let now = db.settings().clock.now();
    if token.last_used_at.is_some_and(|moment| now - moment < COARSE) {
        return Ok(());
    }
    let dialect = db.dialect();
    let sql = format!(
        "UPDATE {} SET last_used_at = $2 WHERE id = {} AND (last_used_at IS NULL OR last_used_at <= $3)",
        db.internal_table("tokens"),
        dialect.uuid_parameter(1)
    );
    let values = [token.id.to_string().into(), dialect.timestamp_param(now), dialect.timestamp_param(now - COARSE)];
    write(db, &sql, values).await.map(|_| ())
}

const COLUMNS: &str = "CAST(id AS text) AS id, name, role, created_at, expires_at, revoked_at, last_used_at";

fn read_token(row: &QueryResult, now: DateTime<Utc>) -> Result<Token, Error> {
    let unreadable = || Error::IncompatibleDatabase("A token's record cannot be read.".to_owned());
    let (expires_at, revoked_at): (Option<DateTime<Utc>>, Option<DateTime<Utc>>) =
        (row.try_get("", "expires_at")?, row.try_get("", "revoked_at")?);
    let status = match (revoked_at, expires_at) {
        (Some(_), _) => TokenStatus::Revoked,
        (None, Some(moment)) if moment <= now => TokenStatus::Expired,
        _ => TokenStatus::Active,
    };
    Ok(Token {
        id: row.try_get::<String>("", "id")?.parse().map_err(|_| unreadable())?,
        name: row.try_get("", "name")?,
        role: Role::from_name(&row.try_get::<String>("", "role")?).ok_or_else(unreadable)?,
        status,
        created_at: row.try_get("", "created_at")?,
        expires_at,
        revoked_at,
        last_used_at: row.try_get("", "last_used_at")?,
    })
}

async fn write<const N: usize>(db: &Database, sql: &str, values: [Value; N]) -> Result<u64, Error> {
    let WriteTransaction { transaction, writer_guard: _writer_guard } = db.begin_write(true).await?;
    let written = transaction.execute_raw(db.dialect().statement(sql, values)).await?.rows_affected();
    transaction.commit().await?;
    Ok(written)
}

fn generate_secret() -> Result<Secret, Error> {
    let mut bytes = [0; RANDOM];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::Io {
        what: "No token can be created".to_owned(),
        source: std::io::Error::other("the system provides no random numbers"),
    })?;
    Ok(Secret(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))))
}

fn check_name(name: &str) -> Result<(), Error> {
    let wrong = |why: &str| Err(Error::BadInput(format!("The token's name {why}.")));
    if name.is_empty() || name.trim() != name || name.chars().count() > MAX_NAME {
        return wrong(&format!("must have 1 to {MAX_NAME} characters, without spaces at the beginning or the end"));
    }
    if name.contains(|letter: char| is_invisible(letter) || letter == ':') {
        return wrong("must not contain invisible characters, or a colon, which the names of other callers have");
    }
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) || name.parse::<Uuid>().is_ok() {
        return wrong(&format!("must not be one of {}, or a UUID: those have another meaning", RESERVED.join(", ")));
    }
    Ok(())
}
