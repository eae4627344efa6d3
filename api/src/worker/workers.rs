//! The workers of one process.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;

use super::job_queue::Queue;
use super::job_runner::Hand;
use super::{consumer, requeue};
use crate::gateway::Gateway;

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
