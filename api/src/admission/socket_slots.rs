//! How many sockets are open. Whoever opens one may take until they begin, and strangers never do: the oldest that has not
//! begun makes room for the next, so they keep nobody out. Those that have begun are counted by token, so that one does not
//! take all places.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::auth::Principal;
use crate::limits::Limits;

/// The places that there are.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    most: usize,
    most_of_one: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    /// By their numbers, the oldest first.
    sockets: BTreeMap<u64, Socket>,
    next: u64,
}

#[derive(Debug)]
struct Socket {
    /// Who has begun.
    by: Option<Principal>,
    /// It makes room once this is dropped.
    _stays: oneshot::Sender<()>,
}

/// A socket's place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Places,
    number: u64,
}

/// As many sockets are open as may be of one token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooMany(pub usize);

impl Places {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { most: limits.sockets, most_of_one: limits.sockets_of_one, taken: Arc::default() }
    }

    /// Takes a place; none where all are taken by those that have begun. What comes with it is ready when the socket has to
    /// make room.
    pub(crate) fn take(&self) -> Option<(Place, oneshot::Receiver<()>)> {
        let mut taken = self.taken();
        if taken.sockets.len() >= self.most {
            let oldest = taken.sockets.iter().find(|(_, socket)| socket.by.is_none()).map(|(number, _)| *number)?;
            taken.sockets.remove(&oldest);
        }
        let number = taken.next;
        taken.next += 1;
        let (stays, makes_room) = oneshot::channel();
        taken.sockets.insert(number, Socket { by: None, _stays: stays });
        Some((Place { places: self.clone(), number }, makes_room))
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing in here can be half done.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Keeps the place for one who begins. While no token is needed, nobody can be told from others.
    pub(crate) fn keep(&self, by: &Principal) -> Result<(), TooMany> {
        let most = self.places.most_of_one;
        let mut taken = self.places.taken();
        let others = taken.sockets.values().filter_map(|socket| socket.by.as_ref());
        if !by.is_local() && others.filter(|other| other.name() == by.name()).count() >= most {
            return Err(TooMany(most));
        }
        // One that has made room is about to be closed.
        if let Some(socket) = taken.sockets.get_mut(&self.number) {
            socket.by = Some(by.clone());
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.taken().sockets.remove(&self.number);
    }
}
