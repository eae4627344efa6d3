//! The signals that tell the process to shut down.

use crate::error::Error;

/// Returns a future that completes on SIGINT (Ctrl-C) or on SIGTERM, which a service manager sends. Both signals are
/// caught from this call on, even before the future is awaited.
///
/// # Errors
/// [`Error::Io`] if the signal handlers cannot be installed.
#[cfg(unix)]
pub(super) fn listen_for_shutdown() -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let io_error = |source| Error::Io { what: "The signal handlers cannot be installed".to_owned(), source };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(io_error)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(io_error)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    })
}

/// Returns a future that completes on Ctrl-C.
#[cfg(not(unix))]
pub(super) fn listen_for_shutdown() -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
