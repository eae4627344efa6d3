//! Being told to stop.

use crate::error::Error;

/// Ctrl-C, or what a service manager sends. Both are listened for from here on, and not only once this is awaited.
#[cfg(unix)]
pub(super) fn stopped() -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |source| Error::Io { what: "Signals cannot be listened for".to_owned(), source };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
    })
}

/// Ctrl-C.
#[cfg(not(unix))]
pub(super) fn stopped() -> Result<impl Future<Output = ()> + Send + 'static, Error> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
