//! The gateway: the service that holds the live connections. It is asked about sessions over HTTP; whatever comes of that
//! is an answer, and never an error. Nothing here knows the database, and nobody asks while locks are held.

mod circuit_breaker;
mod client;
mod settings;
mod status_words;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};
use moka::future::Cache;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use uuid::Uuid;

use self::client::{Client, Said};
use crate::clock::Clock;
use crate::error::Error;
use circuit_breaker::Silence;

pub use settings::{Header, Settings, StatusPath, UrlTemplate};
pub use status_words::Words;

/// What the gateway says of a session's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GatewaySessionState {
    /// Its connection is up.
    Connected,
    /// Its connection is being made.
    Connecting,
    /// A QR code waits to be scanned.
    QrPending,
    /// The gateway holds it, and its connection is down.
    Disconnected,
    /// The gateway does not know it.
    NotFound,
    /// The gateway could not be reached, or could not answer.
    Unreachable,
    /// The gateway answered something that cannot be understood.
    Unknown,
}

impl GatewaySessionState {
    /// The word that is stored, and that GraphQL uses.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connected => "CONNECTED",
            Self::Connecting => "CONNECTING",
            Self::QrPending => "QR_PENDING",
            Self::Disconnected => "DISCONNECTED",
            Self::NotFound => "NOT_FOUND",
            Self::Unreachable => "UNREACHABLE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// The gateway's answer about one session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayState {
    /// What it says.
    pub state: GatewaySessionState,
    /// When it was asked: a few seconds ago at most.
    pub checked_at: DateTime<Utc>,
    /// What happened where it said nothing that is understood; without secrets.
    pub detail: Option<String>,
    /// False where it was not asked, since it had not answered about others in time.
    #[serde(skip)]
    pub asked: bool,
}

/// What the gateway says of each of these sessions; nothing where there is no gateway. Each is asked about,
/// also while it is left alone because it did not answer about others: whoever deletes asks so.
pub async fn ask_about_each(gateway: Option<&Gateway>, sessions: &[Uuid]) -> HashMap<Uuid, GatewayState> {
    match gateway {
        Some(gateway) => gateway.ask_about_each(sessions).await,
        None => HashMap::new(),
    }
}

/// The same for whoever only shows it: a gateway that does not answer is not asked about every one.
pub async fn ask_each(gateway: Option<&Gateway>, sessions: &[Uuid]) -> HashMap<Uuid, GatewayState> {
    match gateway {
        Some(gateway) => gateway.ask_each(sessions).await,
        None => HashMap::new(),
    }
}

/// The most sessions whose answers are kept.
const KEPT: u64 = 10_000;

/// A gateway that is configured. Cloning it is cheap; the clones share what they know and how many they are.
#[derive(Debug, Clone)]
pub struct Gateway(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    clock: Clock,
    /// What it said a moment ago. Whoever asks about a session that is being asked about waits for that answer.
    answers: Cache<Uuid, GatewayState>,
    at_once: usize,
    turns: Semaphore,
    silence: Silence,
}

impl Gateway {
    /// Asks nothing yet.
    ///
    /// # Errors
    /// [`Error::Io`] where this machine's certificates or its TLS cannot be used.
    pub fn new(settings: Settings, clock: Clock) -> Result<Self, Error> {
        let answers = Cache::builder().max_capacity(KEPT).time_to_live(settings.cache_for).build();
        let at_once = settings.at_once.max(1);
        let client = Client::new(settings)?;
        let silence = Silence::after(at_once);
        Ok(Self(Arc::new(Inner { client, clock, answers, at_once, turns: Semaphore::new(at_once), silence })))
    }

    /// Asks about one session, or gives what was answered a moment ago.
    pub async fn ask(&self, session: Uuid) -> GatewayState {
        self.0.answers.get_with(session, self.asked_now(session)).await
    }

    /// Asks about many, several at once.
    pub async fn ask_each(&self, sessions: &[Uuid]) -> HashMap<Uuid, GatewayState> {
        let asked = sessions.iter().copied().map(|session| {
            let gateway = self.clone();
            async move { (session, gateway.ask(session).await) }
        });
        stream::iter(asked).buffer_unordered(self.0.at_once).collect().await
    }

    /// Asks about many, several at once, and about each of them.
    async fn ask_about_each(&self, sessions: &[Uuid]) -> HashMap<Uuid, GatewayState> {
        let mut answers = self.ask_each(sessions).await;
        let unasked: Vec<Uuid> = answers.iter().filter(|(_, said)| !said.asked).map(|(session, _)| *session).collect();
        let asked = unasked.into_iter().map(|session| async move {
            let said = self.question(session, false).await;
            self.0.answers.insert(session, said.clone()).await;
            (session, said)
        });
        answers.extend(stream::iter(asked).buffer_unordered(self.0.at_once).collect::<Vec<_>>().await);
        answers
    }

    async fn asked_now(&self, session: Uuid) -> GatewayState {
        self.question(session, true).await
    }

    /// One question; none where there may be a pause, and there is.
    async fn question(&self, session: Uuid, may_pause: bool) -> GatewayState {
        let Inner { client, clock, turns, silence, .. } = &*self.0;
        // The semaphore is never closed; without a turn the answer would still be right.
        let _turn = turns.acquire().await;
        let said = if may_pause && silence.is_kept() { silence.said() } else { client.ask(session).await };
        silence.note(said.in_time);
        let Said { state, detail, in_time } = said;
        if let Some(detail) = &detail {
            tracing::debug!(%session, state = state.word(), detail, "the gateway was asked");
        }
        GatewayState { state, checked_at: clock.now(), detail, asked: in_time.is_some() }
    }
}
