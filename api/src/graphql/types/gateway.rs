//! The state of a session at the gateway.

use async_graphql::{Enum, SimpleObject};

use super::DateTime;
use crate::gateway;

/// A session that the gateway does not know is an answer (NOT_FOUND), never an error.
#[derive(Debug, SimpleObject)]
pub struct GatewayState {
    /// What it says of the session.
    state: GatewaySessionState,
    /// When it was asked: an answer is believed for a few seconds.
    checked_at: DateTime,
    /// What happened where the state is UNREACHABLE or UNKNOWN; null otherwise.
    detail: Option<String>,
}

impl From<gateway::GatewayState> for GatewayState {
    fn from(state: gateway::GatewayState) -> Self {
        Self { state: state.state.into(), checked_at: state.checked_at.into(), detail: state.detail }
    }
}

/// What the gateway says of a session's connection.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "gateway::GatewaySessionState")]
pub enum GatewaySessionState {
    /// The connection is up.
    Connected,
    /// The connection is being made.
    Connecting,
    /// A QR code waits to be scanned.
    QrPending,
    /// The gateway holds the session, and its connection is down.
    Disconnected,
    /// The gateway does not know the session.
    NotFound,
    /// The gateway could not be reached, or could not answer.
    Unreachable,
    /// The gateway answered something that cannot be understood.
    Unknown,
}
