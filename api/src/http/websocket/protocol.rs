//! The messages of graphql-transport-ws and its close codes.

use async_graphql::ServerError;
use axum::extract::ws::{CloseFrame, Utf8Bytes, close_code};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::conformance::request::GraphqlRequest;
use crate::http::graphql_over_http::request::from_members;
use crate::http::graphql_over_http::response::ResponseBody;

/// The name of the subprotocol.
pub(super) const PROTOCOL: &str = "graphql-transport-ws";

type Members = Map<String, Value>;

/// A message from the client.
#[derive(Debug)]
pub(super) enum ClientMessage {
    /// Initialises the socket. The payload may contain a token.
    Init(Option<Members>),
    /// Requests a pong with the same payload.
    Ping(Option<Members>),
    Pong,
    /// Starts an operation with this id.
    Subscribe {
        id: String,
        graphql_request: GraphqlRequest,
    },
    /// Ends an operation.
    Complete {
        id: String,
    },
}

/// A message from the server.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Members>,
    },
    /// One result of an operation.
    Next {
        id: &'a str,
        payload: ResponseBody<'a>,
    },
    /// The operation was not executed.
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    /// The operation has ended.
    Complete {
        id: &'a str,
    },
}

/// The reason for which the server closes a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The server shuts down.
    Stopping,
    /// A frame violates the WebSocket protocol.
    Malformed,
    /// A text message is not UTF-8.
    NoText,
    /// A message has more than `max` bytes.
    TooLarge { max: usize },
    /// The token already has the maximum number (`max`) of open sockets.
    TooManySockets { max: usize },
    /// A message is not defined by the protocol.
    InvalidMessage(String),
    /// An operation was started before the socket was initialised.
    NotInitialised,
    /// The token with which the socket was initialised is no longer valid.
    Unauthorized,
    /// The client is not accepted. The value is the reason.
    Forbidden(&'static str),
    /// The client did not offer the protocol.
    SubprotocolMissing,
    /// The client did not initialise the socket in time.
    InitTimeout,
    /// An operation with this id is in progress.
    DuplicateId(String),
    /// The socket was initialised a second time.
    InitialisedTwice,
}

/// The maximum length of an operation's id, in bytes.
const MAX_ID: usize = 256;
/// The maximum length of the reason in a close frame, in bytes.
const MAX_REASON: usize = 123;

impl CloseReason {
    /// Returns the close frame.
    pub(super) fn frame(&self) -> CloseFrame {
        let (code, reason) = match self {
            Self::Stopping => (close_code::AWAY, "The server stops.".to_owned()),
            Self::Malformed => (close_code::PROTOCOL, "The message is not a WebSocket message.".to_owned()),
            Self::NoText => (close_code::INVALID, "The message is not UTF-8.".to_owned()),
            Self::TooLarge { max } => (close_code::SIZE, format!("A message has at most {max} bytes.")),
            Self::TooManySockets { max } => (
                close_code::AGAIN,
                format!(
                    "{max} WebSockets are open with this token, which is the maximum. Try again later, or close one."
                ),
            ),
            Self::InvalidMessage(why) => (4400, format!("Invalid message: {why}")),
            Self::NotInitialised => {
                (4401, "Unauthorized: send connection_init and wait for connection_ack.".to_owned())
            }
            Self::Unauthorized => {
                (4401, "Unauthorized: the access token is no longer valid, or one is required now.".to_owned())
            }
            Self::Forbidden(why) => (4403, format!("Forbidden: {why}")),
            Self::SubprotocolMissing => (4406, format!("Subprotocol not acceptable: offer {PROTOCOL}.")),
            Self::InitTimeout => (4408, "Connection initialisation timeout".to_owned()),
            Self::DuplicateId(id) => (4409, format!("Subscriber for {id} already exists")),
            Self::InitialisedTwice => (4429, "Too many initialisation requests".to_owned()),
        };
        let end = reason.floor_char_boundary(MAX_REASON);
        CloseFrame { code, reason: Utf8Bytes::from(&reason[..end]) }
    }
}

/// Parses a client's message of up to `max` bytes.
///
/// # Errors
/// Returns the reason to close the socket if the message is too large or not defined by the protocol.
pub(super) fn parse(text: &str, max: usize) -> Result<ClientMessage, CloseReason> {
    if text.len() > max {
        return Err(CloseReason::TooLarge { max });
    }
    let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
        return Err(invalid("it is not a JSON object."));
    };
    let Some(Value::String(kind)) = members.remove("type") else { return Err(invalid("type is missing.")) };
    match kind.as_str() {
        "connection_init" => take_payload(members).map(ClientMessage::Init),
        "ping" => take_payload(members).map(ClientMessage::Ping),
        "pong" => take_payload(members).map(|_| ClientMessage::Pong),
        "subscribe" => {
            let id = take_id(&mut members)?;
            let payload = take_payload(members)?.ok_or_else(|| invalid("subscribe has no payload."))?;
            let graphql_request = from_members(payload).map_err(|refusal| invalid(&refusal.message))?;
            Ok(ClientMessage::Subscribe { id, graphql_request })
        }
        "complete" => take_id(&mut members).map(|id| ClientMessage::Complete { id }),
        _ => Err(invalid("the protocol has no such type.")),
    }
}

fn take_id(members: &mut Members) -> Result<String, CloseReason> {
    match members.remove("id") {
        Some(Value::String(id)) if (1..=MAX_ID).contains(&id.len()) => Ok(id),
        _ => Err(invalid("id is missing, empty, longer than 256 bytes or not a string.")),
    }
}

/// Returns the credentials in the payload of `connection_init`: its member `Authorization`, whose name is
/// case-insensitive.
pub(super) fn credentials(payload: &Members) -> Option<&str> {
    let (_, value) = payload.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
    value.as_str()
}

fn take_payload(mut members: Members) -> Result<Option<Members>, CloseReason> {
    match members.remove("payload") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(payload)) => Ok(Some(payload)),
        Some(_) => Err(invalid("payload is not an object.")),
    }
}

/// Returns the reason to close a socket for an invalid message.
pub(super) fn invalid(why: &str) -> CloseReason {
    CloseReason::InvalidMessage(why.to_owned())
}
