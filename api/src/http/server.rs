//! The HTTP server, from start to graceful shutdown.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::connection::accept_loop;
use super::connection::bind_policy::check_listen;
use super::middleware::cors::Origin;
use super::router::router;
use super::websocket::registry::Sockets;
use crate::admission::client_quota::ClientLimits;
use crate::app_state::AppState;
use crate::error::Error;

/// The time that requests and deletions in progress have to finish.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(30);
/// The time that WebSockets have to send their close frames.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// Serves until `shutdown` is ready.
///
/// It then accepts nothing new, closes all WebSockets and lets all other work in progress finish, for up to 30 seconds.
/// Pages of `origins` may use the server, in addition to its own page.
///
/// # Errors
/// Returns [`Error::BadInput`] if the listener is reachable from other machines and no token is required, [`Error::Io`]
/// if the listener has no address, and the errors of the database if it cannot determine whether a token is required.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    sockets: Sockets,
    origins: &[Origin],
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let requires_token = state.authenticator().requires_token().await?;
    check_listen(listener.local_addr().map_err(io_error)?, requires_token)?;
    let (stop, stopped) = oneshot::channel();
    let router = router(state.clone(), sockets.clone(), origins);
    let closing = sockets.clone();
    let signal = async move {
        shutdown.await;
        tracing::info!(target: "session_admin::http", "stopping: no new requests are accepted, those in progress may finish");
        closing.close();
        // Sending fails only if serving has already ended.
        let _ = stop.send(Instant::now() + SHUTDOWN_GRACE);
    };
    let limits = *state.limits();
    let client_limits = ClientLimits::new(&limits, state.budget());
    let serving = accept_loop::serve(listener, router, &limits, client_limits, signal);
    finish_connections(serving, stopped, &state).await;
    // A socket that is still open belongs to a client that does not read.
    let _ = tokio::time::timeout(CLOSE_GRACE, sockets.wait_until_closed()).await;
    Ok(())
}

async fn finish_connections(serving: impl Future<Output = ()>, stopped: oneshot::Receiver<Instant>, state: &AppState) {
    let mut serving = std::pin::pin!(serving);
    let deadline = tokio::select! {
        () = &mut serving => return,
        deadline = stopped => deadline.unwrap_or_else(|_| Instant::now() + SHUTDOWN_GRACE),
    };
    if tokio::time::timeout_at(deadline, serving).await.is_err() {
        tracing::warn!(target: "session_admin::http", "some requests did not finish in time");
    }
    // A deletion whose client has disconnected no longer belongs to a request.
    if !state.wait_for_deletions(deadline.saturating_duration_since(Instant::now())).await {
        tracing::warn!(target: "session_admin::http", "a deletion did not finish in time: the database rolls it back");
    }
}

fn io_error(source: std::io::Error) -> Error {
    Error::Io { what: "Serving".to_owned(), source }
}
