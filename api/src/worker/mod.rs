//! Cleanup runs in the background: workers take them from a queue that is stored in the same database.
//!
//! The queue is apalis'. A job only says which run it is; whose turn the run is stands in the run's own row
//! ([`crate::cleanup`]), so a job that is lost, or there twice, does no harm.

mod consumer;
pub mod cron;
mod gateway_wait;
mod job_queue;
mod requeue;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;

pub use job_queue::Queue;

use crate::db::Database;
use crate::gateway::Gateway;
use consumer::Hand;

/// The workers of one process, from their start until they are told to stop.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// Every batch under way holds it for reading, so that whoever gets it for writing knows that none is left.
    running: Arc<RwLock<()>>,
}

impl Workers {
    /// Starts to take runs from the queue, several at once, and to queue again those that nobody works on. Until
    /// `migrate` has made the tables, it waits for them.
    #[must_use]
    pub fn start(queue: Queue, gateway: Option<Gateway>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let running = Arc::new(RwLock::new(()));
        let (db, waiting) = (queue.database().clone(), Arc::default());
        let hand = Hand { db, gateway, stopping, running: Arc::clone(&running), waiting };
        let mut tasks = JoinSet::new();
        tasks.spawn(consumer::always(queue.clone(), hand.clone()));
        tasks.spawn(requeue::always(queue, hand));
        Self { stop, tasks, running }
    }

    /// What tells them to stop: no run is taken any more, and those under way are given back after their batch.
    pub fn stopper(&self) -> impl FnOnce() + Send + 'static {
        let stop = self.stop.clone();
        move || {
            stop.send_replace(true);
        }
    }

    /// Tells them to stop and waits for that, `limit` at most; says whether it is so.
    pub async fn stop(mut self, limit: Duration) -> bool {
        self.stop.send_replace(true);
        let stopped = async {
            while self.tasks.join_next().await.is_some() {}
            drop(self.running.write().await);
        };
        tokio::time::timeout(limit, stopped).await.is_ok()
    }
}

/// Waits, but not longer than until the workers are to stop. Says whether they are.
async fn pause(stopping: &watch::Receiver<bool>, length: Duration) -> bool {
    tokio::time::timeout(length, stopped(stopping.clone())).await.is_ok()
}

/// Ready when the workers are to stop.
async fn stopped(mut stopping: watch::Receiver<bool>) {
    // Nobody is left to say stop: then it is over.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// How long until the tables are looked for again.
const UNTIL_MIGRATED: Duration = Duration::from_secs(1);

/// Waits for this program's own tables: `serve --demo` begins without them. False where the workers are to stop before.
async fn migrated(db: &Database, stopping: &watch::Receiver<bool>) -> bool {
    while !is_migrated(db).await {
        if pause(stopping, UNTIL_MIGRATED).await {
            return false;
        }
    }
    true
}

/// Whether this program's own tables are there. A purge that is pending changes nothing about them.
async fn is_migrated(db: &Database) -> bool {
    let pending = migration::list_pending(db.pool()).await;
    pending.is_ok_and(|pending| pending.iter().all(|name| name == migration::STALE_PURGE))
}
