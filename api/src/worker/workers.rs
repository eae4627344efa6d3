//! The start and the shutdown of the workers of one process.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;

use super::job_queue::JobQueue;
use super::job_runner::JobRunner;
use super::{consumer, requeue};
use crate::gateway::Gateway;

/// The workers of one process, which execute queued runs.
#[derive(Debug)]
pub struct Workers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    /// Locked for reading by each run in progress. Locking it for writing therefore waits for all of them.
    running: Arc<RwLock<()>>,
}

impl Workers {
    /// Starts the tasks that consume jobs, several at a time, and that queue orphaned runs again. The tasks wait until
    /// `migrate` has created the internal tables.
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

    /// Returns a function that tells the workers to stop. They take no more runs, and return the runs in progress to
    /// the queue after the current batch.
    pub fn stopper(&self) -> impl FnOnce() + Send + 'static {
        let stop = self.stop.clone();
        move || {
            stop.send_replace(true);
        }
    }

    /// Tells the workers to stop and waits until they have stopped, at most for `timeout`. Returns true if they have.
    pub async fn stop(mut self, timeout: Duration) -> bool {
        self.stop.send_replace(true);
        let all_stopped = async {
            while self.tasks.join_next().await.is_some() {}
            drop(self.running.write().await);
        };
        tokio::time::timeout(timeout, all_stopped).await.is_ok()
    }
}
