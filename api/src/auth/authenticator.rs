//! Lets callers in by what they show.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use moka::future::Cache;
use sea_orm::{ConnAcquireErr, DbErr};
use tokio::sync::Semaphore;

use super::access_token;
use super::access_token::{Token, TokenStatus};
use super::{Jwt, Principal};
use crate::db::Database;
use crate::error::Error;

/// How long a token is believed before the database is asked again; with it and with how often sockets are looked at
/// (`http/socket`), a revoked token is good for less than a minute.
const BELIEVED: Duration = Duration::from_secs(20);
/// The most tokens that are remembered.
const REMEMBERED: u64 = 10_000;
/// How long it is remembered that a token was good, for when the database does not answer.
const RECALLED: Duration = Duration::from_hours(1);
/// How long the database has for its answer where there is something to recall.
const SOON: Duration = Duration::from_secs(1);
/// How long a look at a token waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// While no token has been made, how often it is asked whether one has.
const LOOK: Duration = Duration::from_secs(1);
/// The longest text that is taken for a token, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// Why somebody is not let in.
#[derive(Debug, Clone)]
pub enum Denied {
    /// They show nothing, and have to show a token.
    Missing,
    /// What they show is unknown, revoked, expired or malformed. Which of them it is, nobody is told.
    Invalid,
    /// They are who they say, but no role is given to them; the sentence says what is missing.
    NoRole(String),
    /// It cannot be told now.
    Unknown(Arc<Error>),
}

/// The one who decides. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Access(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    db: Database,
    jwt: Option<Jwt>,
    /// Tokens that were good a moment ago, by their hashes.
    known: Cache<String, Principal>,
    /// Tokens that were good when they were looked up last.
    recalled: Cache<String, Principal>,
    /// A turn for each look at a token that is not remembered: strangers make up any number of them, and must not take all
    /// connections to the database.
    lookups: Semaphore,
    /// Whether everybody has to show something. Once that is so, it stays so.
    closed: AtomicBool,
    /// When it was last seen that no token has been made.
    looked: Mutex<Option<Instant>>,
}

impl Access {
    /// For the tokens of this database, and for JWTs where that is configured.
    #[must_use]
    pub fn new(db: Database, jwt: Option<Jwt>) -> Self {
        Self::believing(db, jwt, BELIEVED)
    }

    /// The same, which asks the database again after this time: for tests.
    #[must_use]
    pub fn believing(db: Database, jwt: Option<Jwt>, believed: Duration) -> Self {
        let known = Cache::builder().max_capacity(REMEMBERED).time_to_live(believed).build();
        let closed = AtomicBool::new(jwt.is_some());
        let connections = usize::try_from(db.settings().max_connections).unwrap_or(usize::MAX);
        let lookups = Semaphore::new((connections / 4).max(1));
        let recalled = Cache::builder().max_capacity(REMEMBERED).time_to_live(RECALLED).build();
        Self(Arc::new(Shared { db, jwt, known, recalled, lookups, closed, looked: Mutex::default() }))
    }

    /// Whether everybody has to show something: a token has been made, whatever has become of it since, or JWTs are
    /// configured. While that is not so, it is asked again once a second.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn is_closed(&self) -> Result<bool, Error> {
        let shared = &self.0;
        if shared.closed.load(Ordering::Relaxed) {
            return Ok(true);
        }
        if self.looked().is_some_and(|moment| moment.elapsed() < LOOK) {
            return Ok(false);
        }
        let begun = Instant::now();
        match access_token::any(&shared.db).await {
            Ok(true) => {
                self.close();
                Ok(true)
            }
            // The demonstration begins without this program's own tables.
            Ok(false) | Err(Error::MissingTable(_)) => {
                *self.looked() = Some(begun);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Who shows this, the text behind `Bearer`; none where nothing is shown and nothing has to be. What is shown is
    /// looked at in any case: who uses the first token at once is that token's principal.
    ///
    /// # Errors
    /// Why they are not let in.
    pub async fn identify(&self, shown: Option<&str>) -> Result<Option<Principal>, Denied> {
        let Some(shown) = shown else {
            let closed = self.is_closed().await.map_err(|error| Denied::Unknown(Arc::new(error)))?;
            return if closed { Err(Denied::Missing) } else { Ok(None) };
        };
        if shown.len() > MAX_LENGTH {
            return Err(Denied::Invalid);
        }
        let now = self.0.db.settings().clock.now();
        let principal = if access_token::looks_like_one(shown) {
            self.of_token(access_token::hash(shown)).await?
        } else {
            self.0.jwt.as_ref().ok_or(Denied::Invalid)?.verify(shown, now)?
        };
        if principal.is_over(now) { Err(Denied::Invalid) } else { Ok(Some(principal)) }
    }

    /// The same, for what is told without the database: while that does not answer soon, whoever was let in within the hour
    /// is let in still.
    ///
    /// # Errors
    /// Why they are not let in.
    pub async fn recall(&self, shown: Option<&str>) -> Result<Option<Principal>, Denied> {
        let now = self.0.db.settings().clock.now();
        let recalled = match shown {
            None if self.looked().is_some() && !self.0.closed.load(Ordering::Relaxed) => None,
            None => return self.identify(shown).await,
            Some(text) => {
                match self.0.recalled.get(&access_token::hash(text)).await.filter(|known| !known.is_over(now)) {
                    None => return self.identify(shown).await,
                    recalled => recalled,
                }
            }
        };
        match tokio::time::timeout(SOON, self.identify(shown)).await {
            Ok(Err(Denied::Unknown(_))) | Err(_) => Ok(recalled),
            Ok(identified) => identified,
        }
    }

    async fn of_token(&self, hash: String) -> Result<Principal, Denied> {
        let good = async {
            // The semaphore is never closed.
            let Ok(_turn) = tokio::time::timeout(PATIENCE, self.0.lookups.acquire()).await else {
                let crowded = DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
                return Err(Denied::Unknown(Arc::new(Error::Unavailable(crowded))));
            };
            match access_token::find(&self.0.db, &hash).await {
                Ok(Some(token)) if token.status == TokenStatus::Active => {
                    let principal = self.believe(token);
                    self.0.recalled.insert(hash.clone(), principal.clone()).await;
                    Ok(principal)
                }
                Ok(_) | Err(Error::MissingTable(_)) => {
                    self.0.recalled.invalidate(&hash).await;
                    Err(Denied::Invalid)
                }
                Err(error) => Err(Denied::Unknown(Arc::new(error))),
            }
        };
        self.0.known.try_get_with(hash.clone(), good).await.map_err(Arc::unwrap_or_clone)
    }

    fn believe(&self, token: Token) -> Principal {
        self.close();
        let principal = Principal {
            name: token.name.as_str().into(),
            role: token.role,
            local: false,
            expires_at: token.expires_at,
        };
        let db = self.0.db.clone();
        // Nobody waits for it, and nothing depends on it.
        tokio::spawn(async move {
            if let Err(error) = access_token::note_use(&db, &token).await {
                let said = error.said();
                tracing::warn!(%error, said, name = token.name, "when a token was used last could not be written down");
            }
        });
        principal
    }

    fn close(&self) {
        if !self.0.closed.swap(true, Ordering::Relaxed) && self.looked().is_some() {
            tracing::info!("a token has been made: from now on every request has to show one");
        }
    }

    fn looked(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        // Nothing in here can be half done.
        self.0.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
