//! A limit of open WebSockets.
//!
//! A socket has a slot from its opening, and sends its token only later. Until then it may be anybody's: the oldest such
//! socket makes room for the next, so strangers keep nobody out. Sockets with a token are counted by it, so that one token does
//! not occupy all slots.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::limits::Limits;

/// The slots of a server.
#[derive(Debug, Clone)]
pub(crate) struct SocketSlots {
    max: usize,
    max_per_token: usize,
    occupied: Arc<Mutex<Occupied>>,
}

#[derive(Debug, Default)]
struct Occupied {
    /// By their numbers, the oldest first.
    sockets: BTreeMap<u64, Socket>,
    next_number: u64,
}

#[derive(Debug)]
struct Socket {
    owner: Owner,
    /// Dropping it tells the socket to close.
    _keep_open: oneshot::Sender<()>,
}

/// The user of a socket.
#[derive(Debug, PartialEq, Eq)]
enum Owner {
    /// The socket has not been initialised.
    Unknown,
    /// The socket was initialised while no token was required.
    Anonymous,
    Token(String),
}

/// One socket's slot, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct SocketSlot {
    slots: SocketSlots,
    number: u64,
}

/// The error of a token that has as many sockets open as it may.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooManySockets {
    /// The most sockets of one token.
    pub(crate) max: usize,
}

impl SocketSlots {
    /// Creates the slots that these limits allow.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { max: limits.sockets, max_per_token: limits.sockets_per_token, occupied: Arc::default() }
    }

    /// Occupies a slot; none where initialised sockets occupy all. The receiver is ready when the socket has to close, to make
    /// room for another.
    pub(crate) fn occupy(&self) -> Option<(SocketSlot, oneshot::Receiver<()>)> {
        let mut occupied = self.occupied();
        if occupied.sockets.len() >= self.max {
            let mut uninitialised = occupied.sockets.iter().filter(|(_, socket)| socket.owner == Owner::Unknown);
            let oldest = uninitialised.next().map(|(number, _)| *number)?;
            occupied.sockets.remove(&oldest);
        }
        let number = occupied.next_number;
        occupied.next_number += 1;
        let (keep_open, evicted) = oneshot::channel();
        occupied.sockets.insert(number, Socket { owner: Owner::Unknown, _keep_open: keep_open });
        Some((SocketSlot { slots: self.clone(), number }, evicted))
    }

    fn occupied(&self) -> MutexGuard<'_, Occupied> {
        // A panic leaves no slot half changed.
        self.occupied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SocketSlot {
    /// Assigns the slot of an initialised socket to the token with this name. The owner is anonymous if no token is
    /// required, because callers cannot be distinguished then.
    ///
    /// # Errors
    /// [`TooManySockets`] if the token already has the maximum number of other sockets.
    pub(crate) fn assign(&self, token: Option<&str>) -> Result<(), TooManySockets> {
        let max = self.slots.max_per_token;
        let owner = token.map_or(Owner::Anonymous, |name| Owner::Token(name.to_owned()));
        let mut occupied = self.slots.occupied();
        let sockets_of_token = || occupied.sockets.values().filter(|socket| socket.owner == owner).count();
        if token.is_some() && sockets_of_token() >= max {
            return Err(TooManySockets { max });
        }
        // An evicted socket is about to be closed.
        if let Some(socket) = occupied.sockets.get_mut(&self.number) {
            socket.owner = owner;
        }
        Ok(())
    }
}

impl Drop for SocketSlot {
    fn drop(&mut self) {
        self.slots.occupied().sockets.remove(&self.number);
    }
}
