//! Serving until told to stop.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::accept_loop;
use crate::admission::client_quota::Allowance;
use crate::error::Error;
use crate::graphql::State;
use crate::http::{Origin, Sockets, check_listen, router};

/// How long requests and deletions under way have to finish.
const GRACE: Duration = Duration::from_secs(30);
/// How long sockets have to say that they close.
const FAREWELL: Duration = Duration::from_secs(1);

/// Serves, pages of these origins too, until `shutdown` is ready, then accepts nothing new and lets what is under way finish, 30 seconds at most.
/// Sockets are closed at once.
///
/// # Errors
/// [`Error::BadInput`] where the listener is open to other machines and no token is needed, [`Error::Io`] where it has no
/// address, those of the database where it cannot tell whether a token is needed.
pub async fn serve(
    listener: TcpListener,
    state: State,
    sockets: Sockets,
    origins: &[Origin],
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let closed = state.access().is_closed().await?;
    check_listen(listener.local_addr().map_err(failed)?, closed)?;
    let (stop, stopped) = oneshot::channel();
    let router = router(state.clone(), sockets.clone(), origins);
    let closing = sockets.clone();
    let signal = async move {
        shutdown.await;
        tracing::info!("stopping: nothing new is accepted, what is under way may finish");
        closing.close();
        // The receiver is gone only when serving has ended already.
        let _ = stop.send(Instant::now() + GRACE);
    };
    let limits = *state.limits();
    let serving = accept_loop::serve(listener, router, &limits, Allowance::of(&state), signal);
    finish(serving, stopped, &state).await;
    // One that has not said it by now has a client that reads nothing.
    let _ = tokio::time::timeout(FAREWELL, sockets.closed()).await;
    Ok(())
}

async fn finish(serving: impl Future<Output = ()>, stopped: oneshot::Receiver<Instant>, state: &State) {
    let mut serving = std::pin::pin!(serving);
    let deadline = tokio::select! {
        () = &mut serving => return,
        deadline = stopped => deadline.unwrap_or_else(|_| Instant::now() + GRACE),
    };
    if tokio::time::timeout_at(deadline, serving).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
    // A deletion whose client has gone away is no request any more.
    if !state.deletions_finished(deadline.saturating_duration_since(Instant::now())).await {
        tracing::warn!("a deletion did not finish in time: the database rolls it back");
    }
}

fn failed(source: std::io::Error) -> Error {
    Error::Io { what: "Serving".to_owned(), source }
}
