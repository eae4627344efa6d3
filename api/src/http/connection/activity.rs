//! Who is at the other end of a connection, and what is being done for it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::admission::client_quota::{Allowance, Caller};

/// How long an answer may be on its way before its connection may make room for others.
const FAIR: Duration = Duration::from_secs(5);

/// The other end of a connection. Clones are of the same one.
#[derive(Debug, Clone)]
pub(in crate::http) struct Client(Arc<State>);

#[derive(Debug)]
struct State {
    /// None where there is no connection, as in tests.
    address: Option<IpAddr>,
    requests: watch::Sender<Requests>,
    /// Whose requests they are while no token is needed: sockets and HTTP/2 ask for many things at once.
    caller: Arc<Caller>,
}

#[derive(Debug, Default)]
struct Requests {
    /// Those whose head has arrived and whose answer has not been handed over.
    begun: usize,
    /// Those of them whose body has not arrived.
    sending: usize,
    /// Those of them whose answer is being handed over, and since when, the oldest first.
    answered: BTreeMap<u64, Instant>,
    next: u64,
    /// Since when the connection takes nothing of what is written.
    stuck: Option<Instant>,
}

/// What would be lost with a connection, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::http) enum Loss {
    /// Nothing: there is no request, or not even the whole head of one.
    Nothing,
    /// Requests whose bodies have not arrived.
    Bodies,
    /// Answers that could have been read for a while.
    Unread,
    /// Requests that wait, are executed or are being answered.
    Answers,
}

impl Client {
    pub(in crate::http) fn new(address: Option<IpAddr>, allowance: Allowance) -> Self {
        let caller = Arc::new(Caller::new(allowance));
        Self(Arc::new(State { address, requests: watch::Sender::default(), caller }))
    }

    /// Whoever asks over it without a token.
    pub(in crate::http) fn caller(&self) -> Arc<Caller> {
        Arc::clone(&self.0.caller)
    }

    pub(in crate::http) fn address(&self) -> Option<IpAddr> {
        self.0.address
    }

    /// A request of its has begun, until what is returned is dropped.
    pub(in crate::http) fn begin(&self) -> Begun {
        self.0.requests.send_modify(|requests| requests.begun += 1);
        Begun { client: self.clone(), answer: None }
    }

    /// It sends the body of a request that has begun, until what is returned is dropped.
    pub(in crate::http) fn send(&self) -> Sending {
        self.0.requests.send_modify(|requests| requests.sending += 1);
        Sending(self.clone())
    }

    /// Notes whether the connection takes nothing of what is written.
    pub(in crate::http) fn is_stuck(&self, stuck: bool) {
        self.0.requests.send_if_modified(|requests| {
            let changes = requests.stuck.is_some() != stuck;
            if changes {
                requests.stuck = stuck.then(Instant::now);
            }
            changes
        });
    }

    /// What would be lost with the connection now.
    pub(in crate::http) fn loss(&self) -> Loss {
        let requests = self.0.requests.borrow();
        let newest = requests.answered.values().next_back().max(requests.stuck.as_ref());
        if requests.begun > requests.sending + requests.answered.len() {
            Loss::Answers
        } else if let Some(since) = newest {
            if since.elapsed() > FAIR { Loss::Unread } else { Loss::Answers }
        } else if requests.begun > 0 {
            Loss::Bodies
        } else {
            Loss::Nothing
        }
    }

    /// Waits until it has made no request for as long as `patience`.
    pub(in crate::http) async fn silent(&self, patience: Duration) {
        let mut requests = self.0.requests.subscribe();
        loop {
            let busy = { requests.borrow_and_update().is_busy() };
            if busy {
                // The sender is this client's own.
                let _ = requests.changed().await;
            } else if timeout(patience, requests.changed()).await.is_err() {
                return;
            }
        }
    }

    /// Waits until it has left an answer unread for as long as `patience`.
    pub(in crate::http) async fn deaf(&self, patience: Duration) {
        let mut requests = self.0.requests.subscribe();
        loop {
            let oldest = { requests.borrow_and_update().oldest_answer() };
            match oldest.map(|since| since + patience) {
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
        self.begun > 0 || self.stuck.is_some()
    }

    fn oldest_answer(&self) -> Option<Instant> {
        self.answered.values().next().into_iter().chain(&self.stuck).min().copied()
    }
}

/// A request that has begun.
#[derive(Debug)]
pub(in crate::http) struct Begun {
    client: Client,
    answer: Option<u64>,
}

impl Begun {
    /// Its answer is there, and is being handed over from now on.
    pub(in crate::http) fn is_answered(&mut self) {
        self.client.0.requests.send_modify(|requests| {
            self.answer = Some(requests.next);
            requests.answered.insert(requests.next, Instant::now());
            requests.next += 1;
        });
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.client.0.requests.send_modify(|requests| {
            requests.begun -= 1;
            if let Some(answer) = self.answer {
                requests.answered.remove(&answer);
            }
        });
    }
}

/// A request whose body has not arrived.
#[derive(Debug)]
pub(in crate::http) struct Sending(Client);

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.0.requests.send_modify(|requests| requests.sending -= 1);
    }
}
