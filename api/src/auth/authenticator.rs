//! Authentication of callers by their tokens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use moka::future::Cache;
use sea_orm::{ConnAcquireErr, DbErr};
use tokio::sync::Semaphore;

use super::access_token::{self, Token, TokenStatus};
use super::auth_error::AuthError;
use super::jwt::JwtVerifier;
use super::principal::Principal;
use crate::admission::connection_budget::ConnectionBudget;
use crate::db::Database;
use crate::error::Error;

/// How long a valid token is cached. Together with how often a WebSocket's token is checked (`http/websocket`), a revoked token
/// stays valid for less than a minute.
const CACHE_TTL: Duration = Duration::from_secs(20);
/// The most tokens that each cache holds.
const CACHE_CAPACITY: u64 = 10_000;
/// How long a token that was valid is cached for an outage of the database.
const OUTAGE_CACHE_TTL: Duration = Duration::from_hours(1);
/// How long the database has to answer where the outage cache has an answer too.
const OUTAGE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a lookup waits for its permit.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);
/// The time between two queries of the database for a first token, while there is none.
const FIRST_TOKEN_INTERVAL: Duration = Duration::from_secs(1);
/// The longest text that may be a token, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// Decides which callers are let in. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Authenticator(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    db: Database,
    jwt: Option<JwtVerifier>,
    /// The principals of tokens that were valid within the last seconds, by the hashes of the tokens.
    cache: Cache<String, Principal>,
    /// The principals of tokens that were valid when they were last looked up.
    outage_cache: Cache<String, Principal>,
    /// A permit for each lookup of a token that is not cached. Strangers can make up any number of tokens, which must not take
    /// all connections to the database.
    lookups: Semaphore,
    /// Whether a token is required. Once it is, it stays so.
    requires_token: AtomicBool,
    /// When the database was last found to contain no token.
    no_token_seen: Mutex<Option<Instant>>,
}

impl Authenticator {
    /// Creates an authenticator for the tokens of this database, and for JWTs where they are configured.
    #[must_use]
    pub fn new(db: Database, jwt: Option<JwtVerifier>) -> Self {
        Self::with_cache_ttl(db, jwt, CACHE_TTL)
    }

    /// Creates an authenticator that caches valid tokens for this time. Tests shorten it.
    #[must_use]
    pub fn with_cache_ttl(db: Database, jwt: Option<JwtVerifier>, ttl: Duration) -> Self {
        let cache = |ttl| Cache::builder().max_capacity(CACHE_CAPACITY).time_to_live(ttl).build();
        Self(Arc::new(Shared {
            requires_token: AtomicBool::new(jwt.is_some()),
            lookups: Semaphore::new(ConnectionBudget::new(db.settings().max_connections).lookups),
            db,
            jwt,
            cache: cache(ttl),
            outage_cache: cache(OUTAGE_CACHE_TTL),
            no_token_seen: Mutex::default(),
        }))
    }

    /// Returns whether a token is required: whether one was ever created, even if it has been revoked, or JWTs are
    /// configured. While no token is required, the database is queried at most once a second.
    ///
    /// # Errors
    /// Returns the errors of the database.
    pub async fn requires_token(&self) -> Result<bool, Error> {
        let shared = &self.0;
        if shared.requires_token.load(Ordering::Relaxed) {
            return Ok(true);
        }
        if self.no_token_seen().is_some_and(|moment| moment.elapsed() < FIRST_TOKEN_INTERVAL) {
            return Ok(false);
        }
        let asked_at = Instant::now();
        match access_token::has_tokens(&shared.db).await {
            Ok(true) => {
                self.require_token();
                Ok(true)
            }
            // The demonstration starts without the internal tables.
            Ok(false) | Err(Error::MissingTable(_)) => {
                *self.no_token_seen() = Some(asked_at);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the principal of a bearer token; none where there is no token and none is required. A token is looked up even
    /// while none is required, so that the first token is valid at once.
    ///
    /// # Errors
    /// [`AuthError`] where the caller is not let in.
    pub async fn authenticate(&self, bearer: Option<&str>) -> Result<Option<Principal>, AuthError> {
        let Some(bearer) = bearer else {
            let is_required = self.requires_token().await.map_err(|error| AuthError::Unknown(Arc::new(error)))?;
            return if is_required { Err(AuthError::Missing) } else { Ok(None) };
        };
        if bearer.len() > MAX_LENGTH {
            return Err(AuthError::Invalid);
        }
        let now = self.0.db.settings().clock.now();
        let principal = if access_token::has_token_format(bearer) {
            self.principal_for_token(access_token::hash(bearer)).await?
        } else {
            self.0.jwt.as_ref().ok_or(AuthError::Invalid)?.verify(bearer, now)?
        };
        if principal.is_expired(now) { Err(AuthError::Invalid) } else { Ok(Some(principal)) }
    }

    /// Returns the principal of a bearer token as [`Self::authenticate`] does. While the database does not answer within a
    /// second, a token that was valid within the last hour is still valid.
    ///
    /// # Errors
    /// [`AuthError`] where the caller is not let in.
    pub async fn authenticate_cached(&self, bearer: Option<&str>) -> Result<Option<Principal>, AuthError> {
        let now = self.0.db.settings().clock.now();
        let cached = match bearer {
            None if self.no_token_seen().is_some() && !self.0.requires_token.load(Ordering::Relaxed) => None,
            None => return self.authenticate(bearer).await,
            Some(text) => {
                let cached = self.0.outage_cache.get(&access_token::hash(text)).await;
                match cached.filter(|principal| !principal.is_expired(now)) {
                    None => return self.authenticate(bearer).await,
                    cached => cached,
                }
            }
        };
        match tokio::time::timeout(OUTAGE_TIMEOUT, self.authenticate(bearer)).await {
            Ok(Err(AuthError::Unknown(_))) | Err(_) => Ok(cached),
            Ok(authenticated) => authenticated,
        }
    }

    async fn principal_for_token(&self, hash: String) -> Result<Principal, AuthError> {
        let lookup = async {
            // The semaphore is never closed.
            let Ok(_permit) = tokio::time::timeout(LOOKUP_TIMEOUT, self.0.lookups.acquire()).await else {
                let timed_out = DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
                return Err(AuthError::Unknown(Arc::new(Error::Unavailable(timed_out))));
            };
            match access_token::find(&self.0.db, &hash).await {
                Ok(Some(token)) if token.status == TokenStatus::Active => {
                    let principal = self.accept(token);
                    self.0.outage_cache.insert(hash.clone(), principal.clone()).await;
                    Ok(principal)
                }
                Ok(_) | Err(Error::MissingTable(_)) => {
                    self.0.outage_cache.invalidate(&hash).await;
                    Err(AuthError::Invalid)
                }
                Err(error) => Err(AuthError::Unknown(Arc::new(error))),
            }
        };
        self.0.cache.try_get_with(hash.clone(), lookup).await.map_err(Arc::unwrap_or_clone)
    }

    /// Returns the principal of a valid token, and records that the token is used.
    fn accept(&self, token: Token) -> Principal {
        self.require_token();
        let principal = Principal {
            name: token.name.as_str().into(),
            role: token.role,
            local: false,
            expires_at: token.expires_at,
        };
        let db = self.0.db.clone();
        // Detached, since the request does not depend on it.
        tokio::spawn(async move {
            if let Err(error) = access_token::record_use(&db, &token).await {
                let detail = error.database_message();
                tracing::warn!(target: "session_admin::auth", %error, detail, name = token.name, "the time of a token's last use could not be recorded");
            }
        });
        principal
    }

    fn require_token(&self) {
        if !self.0.requires_token.swap(true, Ordering::Relaxed) && self.no_token_seen().is_some() {
            tracing::info!(target: "session_admin::auth", "an access token was created: from now on every request needs one");
        }
    }

    fn no_token_seen(&self) -> MutexGuard<'_, Option<Instant>> {
        // A panic leaves nothing half changed.
        self.0.no_token_seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
