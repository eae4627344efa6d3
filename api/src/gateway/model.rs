//! The gateway's answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The state of a session's connection, as the gateway reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GatewaySessionState {
    /// The session is connected.
    Connected,
    /// The session is connecting.
    Connecting,
    /// A QR code waits to be scanned.
    QrPending,
    /// The gateway knows the session, and it is not connected.
    Disconnected,
    /// The gateway does not know the session.
    NotFound,
    /// The gateway could not be reached, or could not answer.
    Unreachable,
    /// The gateway's answer could not be interpreted.
    Unknown,
}

impl GatewaySessionState {
    /// Returns the word for storage and GraphQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
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
    /// The reported state.
    pub state: GatewaySessionState,
    /// When the gateway was queried: at most a few seconds ago.
    pub checked_at: DateTime<Utc>,
    /// The reason, without secrets, if the gateway did not report a known state.
    pub detail: Option<String>,
    /// False if the gateway was not queried, because it had not answered other queries in time.
    #[serde(skip)]
    pub was_queried: bool,
}
