//! The states of sessions that the gateway reports.

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
    /// The gateway waits for a user to scan a QR code.
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
    /// Returns the name of the state in the database and in GraphQL.
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
    /// When the gateway was queried. A cached answer is at most as old as the configured cache duration.
    pub checked_at: DateTime<Utc>,
    /// The reason, without secrets, if the gateway did not report a known state.
    pub detail: Option<String>,
    /// Whether the gateway was queried. It is not queried while the circuit breaker is open.
    #[serde(skip)]
    pub was_queried: bool,
}
