//! Functions that wait for a condition, so that tests need no fixed sleeps.

use std::fmt::Display;
use std::time::{Duration, Instant};

use api::cleanup::{self, CleanupRun};
use api::db::Database;
use tokio::time::sleep;
use uuid::Uuid;

/// The longest wait, far longer than a passing test needs even on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Waits until the condition holds.
///
/// # Panics
/// Panics with the description after two minutes.
pub async fn wait_until(description: impl Display, mut condition: impl AsyncFnMut() -> bool) {
    eventually(async || if condition().await { Ok(()) } else { Err(&description) }).await;
}

/// Waits until the attempt succeeds, and returns its value.
///
/// # Panics
/// Panics with the last attempt's error after two minutes.
pub async fn eventually<T, E: Display>(attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    eventually_within(LIMIT, attempt).await
}

/// Waits until the attempt succeeds, and returns its value.
///
/// # Panics
/// Panics with the last attempt's error after the limit.
pub async fn eventually_within<T, E: Display>(limit: Duration, mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let (started, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => assert!(started.elapsed() < limit, "after {limit:?}: {error}"),
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Waits until a cleanup run has finished, and returns it.
pub async fn wait_until_finished(database: &Database, run: Uuid) -> CleanupRun {
    eventually(async || {
        let run = cleanup::find(database, run).await.unwrap().unwrap();
        if run.status.has_finished() { Ok(run) } else { Err(format!("the run has not finished: {run:?}")) }
    })
    .await
}
