//! The current activity of a connection, which decides whether it stays open.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::admission::client_quota::{ClientLimits, ClientQuota};

/// The time that a client may leave a response unread before its connection may be evicted.
const READ_GRACE: Duration = Duration::from_secs(5);

/// The requests of a connection. Clones share the same state.
#[derive(Debug, Clone)]
pub(in crate::http) struct ConnectionActivity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `None` if the router is called without a connection, as in tests.
    address: Option<IpAddr>,
    requests: watch::Sender<Requests>,
    /// The quota of callers without a token. WebSockets and HTTP/2 send many concurrent requests on one connection.
    quota: Arc<ClientQuota>,
}

#[derive(Debug, Default)]
struct Requests {
    /// The number of requests whose head has arrived and whose response has not been handed to the connection
    /// completely.
    active: usize,
    /// The number of active requests whose body has not arrived completely.
    receiving: usize,
    /// The start times of the responses that are being handed to the connection, the oldest first.
    responding: BTreeMap<u64, Instant>,
    next_response: u64,
    /// The time since which a write waits for the client.
    write_blocked: Option<Instant>,
}

/// The cost of evicting a connection, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum EvictionCost {
    /// The connection has no request, or has not received the whole head of one.
    Nothing,
    /// The bodies of its requests have not arrived.
    IncompleteRequests,
    /// The client has left its responses unread for longer than [`READ_GRACE`].
    UnreadResponses,
    /// A request waits, is executed or is being answered.
    Responses,
}

impl ConnectionActivity {
    /// Creates the activity of a connection without requests.
    pub(in crate::http) fn new(address: Option<IpAddr>, limits: ClientLimits) -> Self {
        let quota = Arc::new(ClientQuota::new(limits));
        Self(Arc::new(Shared { address, requests: watch::Sender::default(), quota }))
    }

    /// Returns the quota of callers without a token.
    pub(in crate::http) fn quota(&self) -> Arc<ClientQuota> {
        Arc::clone(&self.0.quota)
    }

    /// Returns the client's address.
    pub(in crate::http) fn address(&self) -> Option<IpAddr> {
        self.0.address
    }

    /// Counts a request as active until the returned value is dropped.
    pub(in crate::http) fn begin_request(&self) -> ActiveRequest {
        self.0.requests.send_modify(|requests| requests.active += 1);
        ActiveRequest { activity: self.clone(), response: None }
    }

    /// Counts an active request as one whose body has not arrived, until the returned value is dropped.
    pub(in crate::http) fn begin_body(&self) -> ReceivingBody {
        self.0.requests.send_modify(|requests| requests.receiving += 1);
        ReceivingBody(self.clone())
    }

    /// Records whether a write waits for the client.
    pub(super) fn set_write_blocked(&self, is_blocked: bool) {
        self.0.requests.send_if_modified(|requests| {
            let has_changed = requests.write_blocked.is_some() != is_blocked;
            if has_changed {
                requests.write_blocked = is_blocked.then(Instant::now);
            }
            has_changed
        });
    }

    /// Returns the current cost of evicting the connection.
    pub(super) fn eviction_cost(&self) -> EvictionCost {
        let requests = self.0.requests.borrow();
        let newest = requests.responding.values().next_back().max(requests.write_blocked.as_ref());
        if requests.active > requests.receiving + requests.responding.len() {
            EvictionCost::Responses
        } else if let Some(since) = newest {
            if since.elapsed() > READ_GRACE { EvictionCost::UnreadResponses } else { EvictionCost::Responses }
        } else if requests.active > 0 {
            EvictionCost::IncompleteRequests
        } else {
            EvictionCost::Nothing
        }
    }

    /// Waits until the connection has had no request for `time`.
    pub(super) async fn idle_for(&self, time: Duration) {
        let mut requests = self.0.requests.subscribe();
        loop {
            let is_busy = { requests.borrow_and_update().is_busy() };
            if is_busy {
                // The sender lives as long as `self`, so this cannot fail.
                let _ = requests.changed().await;
            } else if timeout(time, requests.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Waits until the client has left a response unread for `time`.
    pub(super) async fn unread_for(&self, time: Duration) {
        let mut requests = self.0.requests.subscribe();
        loop {
            let oldest = { requests.borrow_and_update().oldest_unread() };
            match oldest.map(|since| since + time) {
                None => {
                    let _ = requests.changed().await;
                }
                Some(end) if end <= Instant::now() => return,
                Some(end) => {
                    let _ = timeout_at(end, requests.changed()).await;
                }
            }
        }
    }
}

impl Requests {
    fn is_busy(&self) -> bool {
        self.active > 0 || self.write_blocked.is_some()
    }

    fn oldest_unread(&self) -> Option<Instant> {
        self.responding.values().next().into_iter().chain(&self.write_blocked).min().copied()
    }
}

/// A request whose head has arrived. It is active until this value is dropped.
#[derive(Debug)]
pub(in crate::http) struct ActiveRequest {
    activity: ConnectionActivity,
    response: Option<u64>,
}

impl ActiveRequest {
    /// Records that the response is now being handed to the connection.
    pub(super) fn start_response(&mut self) {
        self.activity.0.requests.send_modify(|requests| {
            self.response = Some(requests.next_response);
            requests.responding.insert(requests.next_response, Instant::now());
            requests.next_response += 1;
        });
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.activity.0.requests.send_modify(|requests| {
            requests.active -= 1;
            if let Some(response) = self.response {
                requests.responding.remove(&response);
            }
        });
    }
}

/// A request whose body is arriving. It is counted as such until this value is dropped.
#[derive(Debug)]
pub(in crate::http) struct ReceivingBody(ConnectionActivity);

impl Drop for ReceivingBody {
    fn drop(&mut self) {
        self.0.0.requests.send_modify(|requests| requests.receiving -= 1);
    }
}
