//! What all WebSockets of a server have in common.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// How often a socket is pinged, unless the server says otherwise.
const DEFAULT_PING_INTERVAL: Duration = Duration::from_secs(15);

/// A handle on all WebSockets of a server. Clones are of the same one.
#[derive(Debug, Clone)]
pub struct Sockets {
    /// Each socket holds a receiver for as long as it is open.
    closing: Arc<watch::Sender<bool>>,
    ping_interval: Duration,
}

impl Default for Sockets {
    fn default() -> Self {
        Self::with_ping_interval(DEFAULT_PING_INTERVAL)
    }
}

impl Sockets {
    /// Creates a handle for sockets that are pinged at this interval. A socket of which nothing has been received when the next
    /// ping is due is dropped.
    #[must_use]
    pub fn with_ping_interval(ping_interval: Duration) -> Self {
        Self { closing: Arc::new(watch::Sender::new(false)), ping_interval }
    }

    /// Returns how often sockets are pinged.
    pub(in crate::http) const fn ping_interval(&self) -> Duration {
        self.ping_interval
    }

    /// Returns the signal on which a socket closes. The socket counts as open while it holds the receiver.
    pub(in crate::http) fn subscribe(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Tells all sockets to close, including those that are yet to open.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Waits until no socket is open.
    pub async fn wait_until_closed(&self) {
        self.closing.closed().await;
    }
}
