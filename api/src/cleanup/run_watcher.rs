//! Watching runs: the state of a run now, and then after every change, whichever process executes it.
//!
//! All runs that are watched in a process are read together, with one statement, for as long as there are any.

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

/// The time between two reads.
const INTERVAL: Duration = Duration::from_millis(250);

/// The runs that are watched in this process. Clones share them.
#[derive(Debug, Clone)]
pub struct RunWatcher {
    db: Database,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    watched: Mutex<WatchedRuns>,
    reads: watch::Sender<RunSnapshot>,
}

#[derive(Debug, Default)]
struct WatchedRuns {
    /// The number of watchers of each run.
    watchers: HashMap<Uuid, usize>,
    /// The number of the last read that has begun.
    last_read: u64,
    /// Whether a task reads the runs.
    is_reading: bool,
}

/// The watched runs as they were read once.
#[derive(Debug, Clone)]
struct RunSnapshot {
    number: u64,
    found: Result<Arc<HashMap<Uuid, CleanupRun>>, Arc<Error>>,
}

impl RunWatcher {
    /// Returns a watcher of the runs in this database.
    #[must_use]
    pub fn new(db: Database) -> Self {
        let nothing = RunSnapshot { number: 0, found: Ok(Arc::default()) };
        Self { db, shared: Arc::new(Shared { watched: Mutex::default(), reads: watch::Sender::new(nothing) }) }
    }

    /// Returns a stream that yields the current state of the run, and its state after each change. Returns `None` if no
    /// run has the id.
    ///
    /// The stream ends when the run has finished. Changes in quick succession may be combined into one. The stream
    /// yields nothing while the database is unavailable.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`] if the run cannot be read now. The stream yields only errors that a
    /// retry does not resolve.
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
        let mut watched = self.shared.lock_watched();
        *watched.watchers.entry(last.id).or_default() += 1;
        if !watched.is_reading {
            watched.is_reading = true;
            tokio::spawn(read_periodically(self.db.clone(), Arc::clone(&self.shared)));
        }
        let (after, reads) = (watched.last_read, self.shared.reads.subscribe());
        Watcher { last, after, reads, shared: Arc::clone(&self.shared) }
    }
}

impl Shared {
    fn lock_watched(&self) -> MutexGuard<'_, WatchedRuns> {
        // A panic cannot leave the data half changed.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a read, and returns its number and the watched runs, or `None` if no runs are watched.
    fn begin_read(&self) -> Option<(u64, Vec<Uuid>)> {
        let mut watched = self.lock_watched();
        if watched.watchers.is_empty() {
            watched.is_reading = false;
            return None;
        }
        watched.last_read += 1;
        Some((watched.last_read, watched.watchers.keys().copied().collect()))
    }
}

/// Reads the watched runs until there are none.
async fn read_periodically(db: Database, shared: Arc<Shared>) {
    let mut unavailable = false;
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some((number, ids)) = shared.begin_read() else { return };
        let found = match find_many(db.pool(), &db, &ids).await {
            Ok(runs) => Ok(Arc::new(runs.into_iter().map(|run| (run.id, run)).collect())),
            Err(error) if is_temporary(&error) => {
                if !std::mem::replace(&mut unavailable, true) {
                    tracing::warn!(target: "session_admin::cleanup", %error, "the watch of cleanup runs continues, although the database does not respond");
                }
                continue;
            }
            Err(error) => Err(Arc::new(error)),
        };
        unavailable = false;
        shared.reads.send_replace(RunSnapshot { number, found });
    }
}

/// Returns whether a retry may resolve an error.
const fn is_temporary(error: &Error) -> bool {
    matches!(error, Error::Unavailable(_) | Error::Timeout(_) | Error::LockTimeout(_) | Error::Storage(_))
}

/// A watcher of one run.
struct Watcher {
    /// The run as it was passed on last.
    last: CleanupRun,
    /// The number of the last read that may have seen an older state than the first.
    after: u64,
    reads: watch::Receiver<RunSnapshot>,
    shared: Arc<Shared>,
}

impl Watcher {
    /// Waits for the next state; returns None after the end of the run.
    async fn next(mut self) -> Result<Option<(CleanupRun, Self)>, Arc<Error>> {
        if self.last.status.has_finished() {
            return Ok(None);
        }
        loop {
            if self.reads.changed().await.is_err() {
                return Ok(None);
            }
            let read = self.reads.borrow_and_update().clone();
            if read.number <= self.after {
                continue;
            }
            let id = self.last.id;
            let missing = || Error::IncompatibleDatabase(format!("The cleanup run {id} is no longer in the database."));
            let now = read.found?.get(&id).cloned().ok_or_else(missing)?;
            // The lease is not part of the serialized run: a change of it is no change to the watcher.
            if json!(now) != json!(self.last) {
                self.last = now.clone();
                return Ok(Some((now, self)));
            }
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let mut watched = self.shared.lock_watched();
        if let Some(watchers) = watched.watchers.get_mut(&self.last.id) {
            *watchers -= 1;
            if *watchers == 0 {
                watched.watchers.remove(&self.last.id);
            }
        }
    }
}
