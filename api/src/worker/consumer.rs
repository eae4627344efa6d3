//! Taking runs from the queue and executing them.

use super::job_queue::Queue;
use super::job_runner::Hand;
use super::stop_signal::{migrated, pause};

/// Takes jobs until the workers are to stop. A database that goes away ends apalis' worker; another one begins.
pub(super) async fn always(queue: Queue, hand: Hand) {
    if !migrated(&hand.db, &hand.stopping).await {
        return;
    }
    let again = hand.db.settings().run_lease / 3;
    let mut said = String::new();
    loop {
        if let Err(error) = queue.work(hand.clone()).await {
            let message = error.to_string();
            if message != said {
                tracing::warn!(error = message, "no cleanup runs are taken from the queue for now");
                said = message;
            }
        }
        if pause(&hand.stopping, again).await {
            return;
        }
    }
}
