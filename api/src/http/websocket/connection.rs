//! One WebSocket, from its opening to its close.
//!
//! Messages are read and written in one task. If a client does not read, the server therefore computes at most the next
//! event of each of its operations.

use std::pin::pin;
use std::time::Duration;

use axum::Error as SocketError;
use axum::extract::ws::{Message, WebSocket};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite;

use super::operations::{OperationEvent, Operations};
use super::protocol::{ClientMessage, CloseReason, PROTOCOL, ServerMessage, credentials, invalid, parse};
use crate::admission::socket_slots::{SocketSlot, TooManySockets};
use crate::auth::AuthError;
use crate::graphql::RequestContext;
use crate::http::app::{App, Caller};
use crate::http::connection::activity::ConnectionActivity;
use crate::http::graphql_over_http::response::ResponseBody;
use crate::http::middleware::authentication;

/// The time that a client has to initialise the socket.
const INIT_TIMEOUT: Duration = Duration::from_secs(3);
/// The timeout of the query that checks whether the socket's token is still valid.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);
/// The time that a client has to read the close frame.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// A WebSocket with its operations.
pub(super) struct Connection {
    socket: WebSocket,
    app: App,
    activity: ConnectionActivity,
    /// The id of the request that opened the socket.
    id: String,
    closing: watch::Receiver<bool>,
    bearer: Option<String>,
    /// `None` until the client has initialised the socket.
    caller: Option<Caller>,
    slot: SocketSlot,
    /// Whether anything has been received since the last ping.
    is_alive: bool,
    operations: Operations,
}

/// The way in which a socket ends.
enum ConnectionEnd {
    /// The server closes it.
    Close(CloseReason),
    /// The client has closed the socket or does not respond.
    Disconnected,
}

impl From<CloseReason> for ConnectionEnd {
    fn from(reason: CloseReason) -> Self {
        Self::Close(reason)
    }
}

impl Connection {
    /// Creates the connection of a socket. `id` is the id of the request that opened it; `bearer` is its valid token,
    /// if it had one.
    pub(super) fn new(
        socket: WebSocket,
        app: App,
        activity: ConnectionActivity,
        id: String,
        bearer: Option<String>,
        closing: watch::Receiver<bool>,
        slot: SocketSlot,
    ) -> Self {
        let operations = Operations::default();
        Self { socket, app, activity, id, closing, bearer, caller: None, slot, is_alive: true, operations }
    }

    /// Serves the socket until either side closes it.
    pub(super) async fn run(mut self) {
        let mut closing = self.closing.clone();
        let end = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => CloseReason::Stopping.into(),
            end = self.serve() => end,
        };
        let Self { mut socket, operations, slot: _slot, .. } = self;
        drop(operations);
        let close = match end {
            ConnectionEnd::Close(reason) => Some(reason.frame()),
            ConnectionEnd::Disconnected => None,
        };
        tracing::info!(target: "session_admin::http", code = close.as_ref().map(|frame| frame.code), "closed");
        // A client that does not read the frame has disconnected.
        let _ = timeout(CLOSE_GRACE, async {
            if let Some(frame) = close {
                socket.send(Message::Close(Some(frame))).await?;
            }
            // Reading on answers the client's own close frame. Dropping a socket with unread messages would also reset
            // it, and the client would lose the frame.
            while let Some(Ok(_)) = socket.recv().await {}
            Ok::<_, SocketError>(())
        })
        .await;
    }

    async fn serve(&mut self) -> ConnectionEnd {
        if self.socket.protocol().is_none_or(|protocol| protocol != PROTOCOL) {
            return CloseReason::SubprotocolMissing.into();
        }
        let ping_interval = self.app.sockets.ping_interval();
        let mut pings = interval_at(tokio::time::Instant::now() + ping_interval, ping_interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut checks = interval_at(tokio::time::Instant::now() + ping_interval, ping_interval);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut init_timeout = pin!(sleep(INIT_TIMEOUT));
        loop {
            // The selection is not biased, so that a client that sends without pause does not prevent token checks and
            // events.
            let handled = tokio::select! {
                _ = checks.tick(), if self.caller.is_some() => self.check_token().await,
                message = self.socket.recv() => self.receive(message).await,
                () = &mut init_timeout, if self.caller.is_none() => Err(CloseReason::InitTimeout.into()),
                _ = pings.tick() => self.ping().await,
                (id, event) = self.operations.next() => self.send_event(&id, &event).await,
            };
            if let Err(end) = handled {
                return end;
            }
        }
    }

    async fn receive(&mut self, message: Option<Result<Message, SocketError>>) -> Result<(), ConnectionEnd> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => return Err(invalid("it is binary.").into()),
            // The library answers pings.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                self.is_alive = true;
                return Ok(());
            }
            Some(Ok(Message::Close(_))) | None => return Err(ConnectionEnd::Disconnected),
            Some(Err(error)) => return Err(end_of_broken_socket(error, self.app.state.limits().max_body)),
        };
        self.is_alive = true;
        match parse(&text, self.app.state.limits().max_body)? {
            ClientMessage::Init(_) if self.caller.is_some() => Err(CloseReason::InitialisedTwice.into()),
            ClientMessage::Init(payload) => self.initialise(payload.as_ref().and_then(credentials)).await,
            ClientMessage::Ping(payload) => self.send_message(&ServerMessage::Pong { payload }).await,
            ClientMessage::Pong => Ok(()),
            ClientMessage::Subscribe { id, graphql_request } => match &self.caller {
                Some(caller) => match self.operations.start(caller, &id, graphql_request, &self.id)? {
                    Some(event) => self.send_event(&id, &event).await,
                    None => Ok(()),
                },
                None => Err(CloseReason::NotInitialised.into()),
            },
            ClientMessage::Complete { id } => {
                self.operations.end(&id);
                Ok(())
            }
        }
    }

    /// Authenticates the client by `credentials`, or by the token with which the socket was opened if there are none.
    async fn initialise(&mut self, credentials: Option<&str>) -> Result<(), ConnectionEnd> {
        if let Some(credentials) = credentials {
            let bearer = authentication::parse_credentials(credentials)
                .ok_or(CloseReason::Forbidden("Authorization is not Bearer TOKEN."))?;
            self.bearer = Some(bearer.to_owned());
        }
        match self.app.state.authenticate(self.bearer.as_deref()).await {
            Ok(principal) => {
                let token = Some(principal.name()).filter(|_| !principal.is_anonymous_local());
                self.slot.assign(token).map_err(|TooManySockets { max }| CloseReason::TooManySockets { max })?;
                tracing::info!(target: "session_admin::http", by = principal.name(), "begun");
                let context = RequestContext::new(self.app.state.clone(), principal);
                let (app, connection) = (self.app.clone(), self.activity.clone());
                self.caller = Some(Caller { app, context, connection });
                self.send_message(&ServerMessage::ConnectionAck).await
            }
            Err(error) => Err(CloseReason::Forbidden(authentication::close_reason(&error)).into()),
        }
    }

    /// Closes the socket if its client would no longer be accepted.
    ///
    /// While the database does not respond, the socket stays open until its token expires.
    async fn check_token(&mut self) -> Result<(), ConnectionEnd> {
        if self.caller.as_ref().is_some_and(|caller| caller.context.is_expired()) {
            return Err(CloseReason::Unauthorized.into());
        }
        match timeout(CHECK_TIMEOUT, self.app.state.authenticate(self.bearer.as_deref())).await {
            Ok(Err(AuthError::Missing | AuthError::Invalid | AuthError::NoRole(_))) => {
                Err(CloseReason::Unauthorized.into())
            }
            Ok(Ok(_) | Err(AuthError::Unknown(_))) | Err(_) => Ok(()),
        }
    }

    async fn send_event(&mut self, id: &str, event: &OperationEvent) -> Result<(), ConnectionEnd> {
        let message = match event {
            OperationEvent::Next(response) => {
                ServerMessage::Next { id, payload: ResponseBody::from_response(response) }
            }
            OperationEvent::Error(response) => ServerMessage::Error { id, payload: &response.errors },
            OperationEvent::Complete => ServerMessage::Complete { id },
        };
        self.send_message(&message).await
    }

    async fn ping(&mut self) -> Result<(), ConnectionEnd> {
        if !std::mem::replace(&mut self.is_alive, false) {
            return Err(ConnectionEnd::Disconnected);
        }
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn send_message(&mut self, message: &ServerMessage<'_>) -> Result<(), ConnectionEnd> {
        match serde_json::to_string(message) {
            Ok(text) => self.send(Message::Text(text.into())).await,
            Err(error) => {
                tracing::error!(target: "session_admin::http", %error, "a response could not be written");
                Err(ConnectionEnd::Disconnected)
            }
        }
    }

    /// Sends a message. A client that reads nothing for two ping intervals is treated as disconnected.
    async fn send(&mut self, message: Message) -> Result<(), ConnectionEnd> {
        match timeout(self.app.sockets.ping_interval() * 2, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(ConnectionEnd::Disconnected),
        }
    }
}

fn end_of_broken_socket(error: SocketError, max: usize) -> ConnectionEnd {
    use tungstenite::Error::{Capacity, Protocol, Utf8};
    match error.into_inner().downcast_ref() {
        Some(Capacity(_)) => CloseReason::TooLarge { max }.into(),
        Some(Utf8(_)) => CloseReason::NoText.into(),
        Some(Protocol(_)) => CloseReason::Malformed.into(),
        _ => ConnectionEnd::Disconnected,
    }
}
