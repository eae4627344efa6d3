//! Watching runs: what a run has come to now, and then at every change, whichever process works on it.
//!
//! What is looked at is the runs' rows. All runs that are watched in a process are looked at together, by one statement,
//! and only for as long as there are any.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use serde_json::json;
use tokio::sync::watch;
use uuid::Uuid;

use super::model::CleanupRun;
use super::run_record::{find, find_many};
use crate::db::Database;
use crate::error::Error;

/// The time between two looks.
const EVERY: Duration = Duration::from_millis(250);

/// The runs that are watched in this process. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct Watch {
    db: Database,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    watched: Mutex<Watched>,
    looks: watch::Sender<Look>,
}

#[derive(Debug, Default)]
struct Watched {
    /// How many watch each run.
    runs: HashMap<Uuid, usize>,
    /// The looks that have begun.
    begun: u64,
    /// Whether there is a task that looks.
    looking: bool,
}

/// What was seen of the watched runs.
#[derive(Debug, Clone)]
struct Look {
    number: u64,
    found: Result<Arc<HashMap<Uuid, CleanupRun>>, Arc<Error>>,
}

impl Watch {
    /// Nobody watches anything yet.
    #[must_use]
    pub fn new(db: Database) -> Self {
        let nothing = Look { number: 0, found: Ok(Arc::default()) };
        Self { db, shared: Arc::new(Shared { watched: Mutex::default(), looks: watch::Sender::new(nothing) }) }
    }

    /// The run as it is now, then as it is after each change; it ends when the run has finished. Changes that follow one
    /// another quickly may come as one. While the database is away nothing comes. None where there is no such run.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`] where the run cannot be read now; in the stream what no waiting mends.
    pub async fn run(
        &self,
        id: Uuid,
    ) -> Result<Option<impl Stream<Item = Result<CleanupRun, Arc<Error>>> + Send + use<>>, Error> {
        let Some(now) = find(&self.db, id).await? else { return Ok(None) };
        let watcher = if now.status.has_finished() { None } else { Some(self.register(now.clone())) };
        let changes = stream::iter(watcher).flat_map(|watcher| stream::try_unfold(watcher, Watcher::next));
        Ok(Some(stream::iter([Ok(now)]).chain(changes)))
    }

    fn register(&self, last: CleanupRun) -> Watcher {
        let mut watched = self.shared.watched();
        *watched.runs.entry(last.id).or_default() += 1;
        if !watched.looking {
            watched.looking = true;
            tokio::spawn(look(self.db.clone(), Arc::clone(&self.shared)));
        }
        let (after, looks) = (watched.begun, self.shared.looks.subscribe());
        Watcher { last, after, looks, shared: Arc::clone(&self.shared) }
    }
}

impl Shared {
    fn watched(&self) -> MutexGuard<'_, Watched> {
        // Nothing in here can be half done.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The runs to look at, and the look's number; none when nobody watches any more.
    fn next_look(&self) -> Option<(u64, Vec<Uuid>)> {
        let mut watched = self.watched();
        if watched.runs.is_empty() {
            watched.looking = false;
            return None;
        }
        watched.begun += 1;
        Some((watched.begun, watched.runs.keys().copied().collect()))
    }
}

/// Looks until nobody watches.
async fn look(db: Database, shared: Arc<Shared>) {
    let mut away = false;
    loop {
        tokio::time::sleep(EVERY).await;
        let Some((number, ids)) = shared.next_look() else { return };
        let found = match find_many(db.pool(), &db, &ids).await {
            Ok(runs) => Ok(Arc::new(runs.into_iter().map(|run| (run.id, run)).collect())),
            Err(error) if is_away(&error) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(%error, "cleanup runs are watched, and the database does not answer; going on");
                }
                continue;
            }
            Err(error) => Err(Arc::new(error)),
        };
        away = false;
        shared.looks.send_replace(Look { number, found });
    }
}

/// Whether waiting helps.
const fn is_away(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_) | Error::Timeout(_) | Error::LockTimeout(_) | Error::Storage(_))
}

/// Somebody who watches a run.
struct Watcher {
    /// The run as it was told last.
    last: CleanupRun,
    /// A look that began before the run was read may have seen an older state.
    after: u64,
    looks: watch::Receiver<Look>,
    shared: Arc<Shared>,
}

impl Watcher {
    /// The next state, unless the last one was the end.
    async fn next(mut self) -> Result<Option<(CleanupRun, Self)>, Arc<Error>> {
        if self.last.status.has_finished() {
            return Ok(None);
        }
        loop {
            if self.looks.changed().await.is_err() {
                return Ok(None);
            }
            let look = self.looks.borrow_and_update().clone();
            if look.number <= self.after {
                continue;
            }
            let id = self.last.id;
            let gone = || Error::Unsuitable(format!("The cleanup run {id} is no longer in the database."));
            let now = look.found?.get(&id).cloned().ok_or_else(gone)?;
            // As it is told of: which worker holds it is no change.
            if json!(now) != json!(self.last) {
                self.last = now.clone();
                return Ok(Some((now, self)));
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watched = self.shared.watched();
        if let Some(others) = watched.runs.get_mut(&self.last.id) {
            *others -= 1;
            if *others == 0 {
                watched.runs.remove(&self.last.id);
            }
        }
    }
}
