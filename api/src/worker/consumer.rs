//! The task that consumes the jobs of the queue.

use super::job_queue::JobQueue;
use super::job_runner::JobRunner;
use super::stop_signal::{sleep_unless_stopped, wait_until_migrated};

/// Consumes jobs until the stop signal. The apalis worker ends when the database becomes unavailable, and
/// is then replaced by a new one.
pub(super) async fn consume_jobs(queue: JobQueue, runner: JobRunner) {
    if !wait_until_migrated(&runner.db, &runner.stopping).await {
        return;
    }
    let retry_after = runner.db.settings().run_lease / 3;
    let mut last_message = String::new();
    loop {
        if let Err(error) = queue.consume(runner.clone()).await {
            let message = error.to_string();
            if message != last_message {
                tracing::warn!(target: "session_admin::worker", error = message, "cleanup runs cannot be read from the queue at present");
                last_message = message;
            }
        }
        if sleep_unless_stopped(&runner.stopping, retry_after).await {
            return;
        }
    }
}
