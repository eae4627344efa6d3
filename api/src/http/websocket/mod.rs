//! `/graphql/ws`: queries, mutations and subscriptions over a WebSocket that speaks graphql-transport-ws
//! (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).

mod connection;
mod operations;
mod protocol;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::watch;
use tracing::Instrument as _;

use super::App;
use super::middleware::{authentication, request_log};
use crate::auth::Denied;
use connection::Connection;
use protocol::PROTOCOL;

/// What the server's sockets have in common.
#[derive(Debug, Clone)]
pub struct Sockets {
    closing: Arc<watch::Sender<bool>>,
    ping: Duration,
}

impl Default for Sockets {
    fn default() -> Self {
        Self::pinging(Duration::from_secs(15))
    }
}

impl Sockets {
    /// Sockets that ask their clients at this interval whether they are there. One that has not been heard of when the next
    /// question is due is gone.
    #[must_use]
    pub fn pinging(interval: Duration) -> Self {
        Self { closing: Arc::new(watch::Sender::new(false)), ping: interval }
    }

    /// Tells all sockets to close, those that are yet to open too.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Waits until none is left.
    pub async fn closed(&self) {
        self.closing.closed().await;
    }
}

/// Opens a socket.
pub(super) async fn open(State(app): State<App>, request: Request) -> Response {
    let id = request_log::id_of(&request).to_owned();
    let shown = match shown(&app, request.headers()).await {
        Ok(shown) => shown,
        Err(denied) => return authentication::refuse(&denied, &request),
    };
    let state = app.state.clone();
    let app = app.asked_by(&request, state);
    let (closing, largest) = (app.sockets.closing.subscribe(), app.state.limits().body);
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &app).await {
        // Twice the limit, so that a message which is only a little too large is answered in this server's words.
        Ok(upgrade) => upgrade.max_message_size(2 * largest).max_frame_size(2 * largest).protocols([PROTOCOL]),
        Err(rejection) => return refused(rejection),
    };
    let Some((place, makes_room)) = app.places.take() else { return full() };
    let span = request_log::socket_span(&id);
    let open = app.state.metrics().requests().socket();
    // Over HTTP/2 a socket is one request of a connection that others use too.
    let held = app.client.begin();
    let served = async move |socket: WebSocket| {
        tokio::select! {
            // Nothing is said: to read the close takes time, in which others would have no place.
            _ = makes_room => tracing::info!("closed, to make room: it had not begun"),
            () = Connection::new(socket, app, id, shown, closing, place).run() => {}
        }
        drop((held, open));
    };
    upgrade.on_upgrade(move |socket| served(socket).instrument(span))
}

/// The token in the header. Who shows one here shows a good one; who shows none may do so with the first message.
async fn shown(app: &App, headers: &HeaderMap) -> Result<Option<String>, Denied> {
    let Some(shown) = authentication::shown(headers)? else { return Ok(None) };
    app.state.of_whoever_shows(Some(shown)).await.map(|_| Some(shown.to_owned()))
}

/// How long a client that finds no place is asked to wait, in seconds.
const LATER: u64 = 5;

fn full() -> Response {
    tracing::warn!("a socket was refused: as many are open as may be (--max-sockets)");
    let words = "As many sockets are open as this server takes. Try again later, or close one.\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, HeaderValue::from(LATER))], words).into_response()
}

fn refused(rejection: WebSocketUpgradeRejection) -> Response {
    let status = rejection.into_response().status();
    (
        status,
        format!("This is a WebSocket that speaks {PROTOCOL}. Queries and mutations are answered at /graphql too.\n"),
    )
        .into_response()
}
