//! The messages of graphql-transport-ws, and the codes that it closes sockets with.

use async_graphql::ServerError;
use axum::extract::ws::{CloseFrame, Utf8Bytes, close_code};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::conformance::request::GraphqlRequest;
use crate::http::graphql_over_http::request;
use crate::http::graphql_over_http::response::Body;

/// The sub-protocol's name.
pub(super) const PROTOCOL: &str = "graphql-transport-ws";

type Members = Map<String, Value>;

/// What a client says.
#[derive(Debug)]
pub(super) enum FromClient {
    /// It wants to begin, perhaps with a token.
    Init(Option<Members>),
    /// It asks whether the server is there, with something to be sent back.
    Ping(Option<Members>),
    /// It is there.
    Pong,
    /// It wants an operation to be executed under this id.
    Subscribe { id: String, sent: GraphqlRequest },
    /// It has enough of an operation.
    Complete { id: String },
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToClient<'a> {
    /// Begin.
    ConnectionAck,
    /// The server is there.
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Members>,
    },
    /// A result of an operation.
    Next { id: &'a str, payload: Body<'a> },
    /// The operation was not executed.
    Error { id: &'a str, payload: &'a [ServerError] },
    /// The operation has no more results.
    Complete { id: &'a str },
}

/// Why the server closes a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Farewell {
    /// The server stops.
    Stopping,
    /// The message is no WebSocket message.
    Malformed,
    /// The message is no text in UTF-8.
    NoText,
    /// The message is larger than may be.
    TooLarge(usize),
    /// So many sockets are open with the client's token.
    TooMany(usize),
    /// The message is none of the protocol's.
    Invalid(String),
    /// An operation before the beginning.
    NotBegun,
    /// The token with which the client began is no longer good.
    Unauthorized,
    /// The client may not begin.
    Forbidden(&'static str),
    /// The client does not speak the protocol.
    Unspoken,
    /// The client did not begin in time.
    TooLate,
    /// An operation under an id that is in use.
    InUse(String),
    /// A second beginning.
    BegunAlready,
}

/// The longest id that an operation may have, in bytes.
const MAX_ID: usize = 256;
/// The longest reason that a close frame takes, in bytes.
const MAX_REASON: usize = 123;

impl Farewell {
    /// The frame that says so.
    pub(super) fn frame(&self) -> CloseFrame {
        let (code, reason) = match self {
            Self::Stopping => (close_code::AWAY, "The server stops.".to_owned()),
            Self::Malformed => (close_code::PROTOCOL, "The message is no WebSocket message.".to_owned()),
            Self::NoText => (close_code::INVALID, "The message is no UTF-8.".to_owned()),
            Self::TooLarge(most) => (close_code::SIZE, format!("A message has at most {most} bytes.")),
            Self::TooMany(most) => (
                close_code::AGAIN,
                format!("{most} sockets are open with this token, and no more may be. Try again later, or close one."),
            ),
            Self::Invalid(why) => (4400, format!("Invalid message: {why}")),
            Self::NotBegun => (4401, "Unauthorized: send connection_init and wait for connection_ack.".to_owned()),
            Self::Unauthorized => {
                (4401, "Unauthorized: the access token is no longer good, or one is needed now.".to_owned())
            }
            Self::Forbidden(why) => (4403, format!("Forbidden: {why}")),
            Self::Unspoken => (4406, format!("Subprotocol not acceptable: offer {PROTOCOL}.")),
            Self::TooLate => (4408, "Connection initialisation timeout".to_owned()),
            Self::InUse(id) => (4409, format!("Subscriber for {id} already exists")),
            Self::BegunAlready => (4429, "Too many initialisation requests".to_owned()),
        };
        let end = reason.floor_char_boundary(MAX_REASON);
        CloseFrame { code, reason: Utf8Bytes::from(&reason[..end]) }
    }
}

/// Reads what a client says, in so many bytes at most.
pub(super) fn read(text: &str, most: usize) -> Result<FromClient, Farewell> {
    if text.len() > most {
        return Err(Farewell::TooLarge(most));
    }
    let Ok(Value::Object(mut members)) = serde_json::from_str(text) else {
        return Err(invalid("it is no JSON object."));
    };
    let Some(Value::String(kind)) = members.remove("type") else { return Err(invalid("type is missing.")) };
    match kind.as_str() {
        "connection_init" => payload(members).map(FromClient::Init),
        "ping" => payload(members).map(FromClient::Ping),
        "pong" => payload(members).map(|_| FromClient::Pong),
        "subscribe" => {
            let id = id(&mut members)?;
            let payload = payload(members)?.ok_or_else(|| invalid("subscribe has no payload."))?;
            let sent = request::from_members(payload).map_err(|refusal| invalid(&refusal.message))?;
            Ok(FromClient::Subscribe { id, sent })
        }
        "complete" => id(&mut members).map(|id| FromClient::Complete { id }),
        _ => Err(invalid("the protocol has no such type.")),
    }
}

fn id(members: &mut Members) -> Result<String, Farewell> {
    match members.remove("id") {
        Some(Value::String(id)) if (1..=MAX_ID).contains(&id.len()) => Ok(id),
        _ => Err(invalid("id is missing, empty, longer than 256 bytes or no string.")),
    }
}

/// The credentials in the payload of `connection_init`: its member `Authorization`, in any case of the letters.
pub(super) fn credentials(payload: &Members) -> Option<&str> {
    let (_, value) = payload.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
    value.as_str()
}

fn payload(mut members: Members) -> Result<Option<Members>, Farewell> {
    match members.remove("payload") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(payload)) => Ok(Some(payload)),
        Some(_) => Err(invalid("payload is no object.")),
    }
}

pub(super) fn invalid(why: &str) -> Farewell {
    Farewell::Invalid(why.to_owned())
}
