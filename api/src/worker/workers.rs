//! The workers of one process.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;

use super::job_queue::JobQueue;
use super::job_runner::JobRunner;
use super::{consumer, requeue};
use crate::gateway::Gateway;

/// The workers of one process.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// Locked for reading by each run under way, so that locking it for writing waits for all of them.
    running: Arc<RwLock<()>>,
}

impl Workers {
    /// Starts consuming jobs, several at once, and queueing runs again that no worker has. Waits for the internal
    /// tables until `migrate` has made them.
    #[must_use]
    pub fn start(queue: JobQueue, gateway: Option<Gateway>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let running = Arc::new(RwLock::new(()));
        let (db, gateway_wait) = (queue.database().clone(), Arc::default());
        let runner = JobRunner { db, gateway, stopping, running: Arc::clone(&running), gateway_wait };
        let mut tasks = JoinSet::new();
        tasks.spawn(consumer::consume_jobs(queue.clone(), runner.clone()));
        tasks.spawn(requeue::requeue_orphans(queue, runner));
        Self { stop, tasks, running }
    }

    /// Returns a function that tells the workers to stop: they take no more runs, and give those under way back after
    /// their batch.
    pub fn stopper(&self) -> impl FnOnce() + Send + 'static {
        let stop = self.stop.clone();
        move || {
            stop.send_replace(true);
        }
    }

    /// Tells the workers to stop and waits until they have, for `limit` at most. Returns whether they have.
    pub async fn stop(mut self, limit: Duration) -> bool {
        self.stop.send_replace(true);
        let stopped = async {
            while self.tasks.join_next().await.is_some() {}
            drop(self.running.write().await);
        };
        tokio::time::timeout(limit, stopped).await.is_ok()
    }
}
