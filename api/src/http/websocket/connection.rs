//! One socket, from its opening to its close. Messages are read and written in one task: for a client that does not read,
//! no more is worked out than what each of its operations has to say next.

use std::pin::pin;
use std::time::Duration;

use axum::Error as SocketError;
use axum::extract::ws::{Message, WebSocket};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite;

use super::operations::{Operations, Output};
use super::protocol::{Farewell, FromClient, PROTOCOL, ToClient, credentials, invalid, read};
use crate::admission::socket_slots::{Place, TooMany};
use crate::auth::Denied;
use crate::http::App;
use crate::http::graphql_over_http::response::Body;
use crate::http::middleware::authentication;

/// How long a client has to begin.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a client has to take notice of the close.
const FAREWELL: Duration = Duration::from_secs(1);

/// A socket and what goes on over it.
pub(super) struct Connection {
    socket: WebSocket,
    app: App,
    /// The id of the request that opened it.
    id: String,
    closing: watch::Receiver<bool>,
    /// The token that it shows.
    shown: Option<String>,
    /// What the client may use, once it has begun.
    begun: Option<App>,
    place: Place,
    /// Whether the client was heard of since it was asked last.
    heard: bool,
    operations: Operations,
}

/// Why a socket is left.
enum End {
    /// It is closed with a word.
    Close(Farewell),
    /// Nobody is there any more.
    Gone,
}

impl From<Farewell> for End {
    fn from(farewell: Farewell) -> Self {
        Self::Close(farewell)
    }
}

impl Connection {
    pub(super) fn new(
        socket: WebSocket,
        app: App,
        id: String,
        shown: Option<String>,
        closing: watch::Receiver<bool>,
        place: Place,
    ) -> Self {
        Self { socket, app, id, closing, shown, begun: None, place, heard: true, operations: Operations::default() }
    }

    /// Until either side has enough.
    pub(super) async fn run(mut self) {
        let mut closing = self.closing.clone();
        let end = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => Farewell::Stopping.into(),
            end = self.serve() => end,
        };
        let Self { mut socket, operations, place: _place, .. } = self;
        drop(operations);
        let farewell = match end {
            End::Close(farewell) => Some(farewell.frame()),
            End::Gone => None,
        };
        tracing::info!(code = farewell.as_ref().map(|frame| frame.code), "closed");
        // Who does not read it has gone away.
        let _ = timeout(FAREWELL, async {
            if let Some(frame) = farewell {
                socket.send(Message::Close(Some(frame))).await?;
            }
            // A client that closes is told so by reading on, and a socket that is dropped while messages are unread takes its
            // last words with it.
            while let Some(Ok(_)) = socket.recv().await {}
            Ok::<_, SocketError>(())
        })
        .await;
    }

    async fn serve(&mut self) -> End {
        if self.socket.protocol().is_none_or(|protocol| protocol != PROTOCOL) {
            return Farewell::Unspoken.into();
        }
        let ping = self.app.sockets.ping;
        let mut pings = interval_at(tokio::time::Instant::now() + ping, ping);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut checks = interval_at(tokio::time::Instant::now() + ping, ping);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut late = pin!(sleep(PATIENCE));
        loop {
            // None goes before the others: a client that never stops talking is looked at too, and told what it asked for.
            let done = tokio::select! {
                _ = checks.tick(), if self.begun.is_some() => self.check().await,
                message = self.socket.recv() => self.received(message).await,
                () = &mut late, if self.begun.is_none() => Err(Farewell::TooLate.into()),
                _ = pings.tick() => self.ping().await,
                (id, output) = self.operations.next() => self.tell(&id, &output).await,
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    async fn received(&mut self, message: Option<Result<Message, SocketError>>) -> Result<(), End> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => return Err(invalid("it is binary.").into()),
            // The library answers pings.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                self.heard = true;
                return Ok(());
            }
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
            Some(Err(error)) => return Err(broken(error, self.app.state.limits().body)),
        };
        self.heard = true;
        match read(&text, self.app.state.limits().body)? {
            FromClient::Init(_) if self.begun.is_some() => Err(Farewell::BegunAlready.into()),
            FromClient::Init(payload) => self.begin(payload.as_ref().and_then(credentials)).await,
            FromClient::Ping(payload) => self.say(&ToClient::Pong { payload }).await,
            FromClient::Pong => Ok(()),
            FromClient::Subscribe { id, sent } => match &self.begun {
                Some(app) => match self.operations.begin(app, &id, sent, &self.id)? {
                    Some(output) => self.tell(&id, &output).await,
                    None => Ok(()),
                },
                None => Err(Farewell::NotBegun.into()),
            },
            FromClient::Complete { id } => {
                self.operations.end(&id);
                Ok(())
            }
        }
    }

    /// Begins for whoever shows these credentials, or has shown a token when the socket was opened.
    async fn begin(&mut self, credentials: Option<&str>) -> Result<(), End> {
        if let Some(credentials) = credentials {
            let token =
                authentication::token(credentials).ok_or(Farewell::Forbidden("Authorization is not Bearer TOKEN."))?;
            self.shown = Some(token.to_owned());
        }
        match self.app.state.of_whoever_shows(self.shown.as_deref()).await {
            Ok(state) => {
                self.place.keep(state.principal()).map_err(|TooMany(most)| Farewell::TooMany(most))?;
                tracing::info!(by = state.principal().name(), "begun");
                self.begun = Some(App { state, ..self.app.clone() });
                self.say(&ToClient::ConnectionAck).await
            }
            Err(denied) => Err(Farewell::Forbidden(authentication::words(&denied)).into()),
        }
    }

    /// Ends the socket of somebody who would no longer be let in. While that cannot be told, it goes on until its token's
    /// time is over.
    async fn check(&mut self) -> Result<(), End> {
        if self.begun.as_ref().is_some_and(|app| app.state.is_over()) {
            return Err(Farewell::Unauthorized.into());
        }
        match timeout(PATIENCE, self.app.state.of_whoever_shows(self.shown.as_deref())).await {
            Ok(Err(Denied::Missing | Denied::Invalid | Denied::NoRole(_))) => Err(Farewell::Unauthorized.into()),
            Ok(Ok(_) | Err(Denied::Unknown(_))) | Err(_) => Ok(()),
        }
    }

    async fn tell(&mut self, id: &str, output: &Output) -> Result<(), End> {
        let message = match output {
            Output::Next(response) => ToClient::Next { id, payload: Body::of(response) },
            Output::Error(response) => ToClient::Error { id, payload: &response.errors },
            Output::Complete => ToClient::Complete { id },
        };
        self.say(&message).await
    }

    async fn ping(&mut self) -> Result<(), End> {
        if !std::mem::replace(&mut self.heard, false) {
            return Err(End::Gone);
        }
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn say(&mut self, message: &ToClient<'_>) -> Result<(), End> {
        match serde_json::to_string(message) {
            Ok(text) => self.send(Message::Text(text.into())).await,
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                Err(End::Gone)
            }
        }
    }

    /// A client that takes nothing for as long as it may be silent has gone away.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(self.app.sockets.ping * 2, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }
}

fn broken(error: SocketError, most: usize) -> End {
    use tungstenite::Error::{Capacity, Protocol, Utf8};
    match error.into_inner().downcast_ref() {
        Some(Capacity(_)) => Farewell::TooLarge(most).into(),
        Some(Utf8(_)) => Farewell::NoText.into(),
        Some(Protocol(_)) => Farewell::Malformed.into(),
        _ => End::Gone,
    }
}
