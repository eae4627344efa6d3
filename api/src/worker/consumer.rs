//! Consuming the jobs of the queue.

use super::job_queue::JobQueue;
use super::job_runner::JobRunner;
use super::stop_signal::{migrated, pause};

/// Consumes jobs until the workers are told to stop. apalis' worker ends when the database becomes unavailable; then
/// another one is started.
pub(super) async fn consume_jobs(queue: JobQueue, runner: JobRunner) {
    if !migrated(&runner.db, &runner.stopping).await {
        return;
    }
    let retry_after = runner.db.settings().run_lease / 3;
    let mut last_message = String::new();
    loop {
        if let Err(error) = queue.work(runner.clone()).await {
            let message = error.to_string();
            if message != last_message {
                tracing::warn!(target: "session_admin::worker", error = message, "no cleanup runs are taken from the queue for now");
                last_message = message;
            }
        }
        if pause(&runner.stopping, retry_after).await {
            return;
        }
    }
}
