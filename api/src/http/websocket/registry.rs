//! The handle that all WebSockets of a server share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// The default interval at which a socket is pinged.
const DEFAULT_PING_INTERVAL: Duration = Duration::from_secs(15);

/// A handle of all WebSockets of a server. Clones share the same state.
#[derive(Debug, Clone)]
pub struct Sockets {
    /// Each socket holds a receiver while it is open.
    closing: Arc<watch::Sender<bool>>,
    ping_interval: Duration,
}

impl Default for Sockets {
    fn default() -> Self {
        Self::with_ping_interval(DEFAULT_PING_INTERVAL)
    }
}

impl Sockets {
    /// Creates a handle for sockets that are pinged at this interval.
    ///
    /// A socket that receives nothing between two pings is dropped.
    #[must_use]
    pub fn with_ping_interval(ping_interval: Duration) -> Self {
        Self { closing: Arc::new(watch::Sender::new(false)), ping_interval }
    }

    /// Returns the interval at which sockets are pinged.
    pub(in crate::http) const fn ping_interval(&self) -> Duration {
        self.ping_interval
    }

    /// Returns the signal to close a socket. The socket counts as open while it holds the receiver.
    pub(in crate::http) fn subscribe(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Tells all sockets to close, including those that open later.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Waits until no socket is open.
    pub async fn wait_until_closed(&self) {
        self.closing.closed().await;
    }
}
