//! The upgrade of a request to a WebSocket.

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;

use super::connection::Connection;
use super::protocol::PROTOCOL;
use crate::auth::AuthError;
use crate::http::app::App;
use crate::http::middleware::{authentication, request_log};

/// The number of seconds after which a client that found no slot may retry.
const RETRY_AFTER_SECONDS: u64 = 5;

/// Opens a WebSocket.
pub(in crate::http) async fn open(State(app): State<App>, request: Request) -> Response {
    let id = request_log::id_of(&request).to_owned();
    let bearer = match authenticated_bearer(&app, request.headers()).await {
        Ok(bearer) => bearer,
        Err(error) => return authentication::refuse(&error, &request),
    };
    let connection = app.connection(&request);
    let (closing, max_message) = (app.sockets.subscribe(), app.state.limits().max_body);
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &app).await {
        // Twice the limit, so that a message that is slightly too large is rejected with this server's own close code.
        Ok(upgrade) => upgrade.max_message_size(2 * max_message).max_frame_size(2 * max_message).protocols([PROTOCOL]),
        Err(rejection) => return refuse_upgrade(rejection),
    };
    let Some((slot, evicted)) = app.socket_slots.occupy() else { return reject_without_slot() };
    let span = request_log::socket_span(&id);
    let open_sockets = app.state.metrics().requests().socket();
    // Over HTTP/2 a socket is one request of a connection that other requests share.
    let active_request = connection.begin_request();
    let serve = async move |socket: WebSocket| {
        tokio::select! {
            // No close frame is sent, because waiting for the client to read it would occupy the slot.
            _ = evicted => tracing::info!(target: "session_admin::http", "closed to make room for another: it was not initialised"),
            () = Connection::new(socket, app, connection, id, bearer, closing, slot).run() => {}
        }
        drop((active_request, open_sockets));
    };
    upgrade.on_upgrade(move |socket| serve(socket).instrument(span))
}

/// Returns the token in the header, and an error if the token is not valid.
///
/// A client without a token in the header may send it with the first message.
async fn authenticated_bearer(app: &App, headers: &HeaderMap) -> Result<Option<String>, AuthError> {
    let Some(bearer) = authentication::bearer_token(headers)? else { return Ok(None) };
    app.state.authenticate(Some(bearer)).await.map(|_| Some(bearer.to_owned()))
}

fn reject_without_slot() -> Response {
    tracing::warn!(target: "session_admin::http", "a socket was refused: the maximum number is open (--max-sockets)");
    let message = "The maximum number of WebSockets is open. Try again later, or close one.\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS))], message).into_response()
}

fn refuse_upgrade(rejection: WebSocketUpgradeRejection) -> Response {
    let status = rejection.into_response().status();
    (
        status,
        format!(
            "This is a WebSocket with the subprotocol {PROTOCOL}. Queries and mutations can also be sent to /graphql.\n"
        ),
    )
        .into_response()
}
