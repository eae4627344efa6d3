//! Waiting for a condition, in place of sleeping for as long as it may take.

use std::fmt::Display;
use std::time::{Duration, Instant};

use api::cleanup::{self, CleanupRun};
use api::db::Database;
use tokio::time::sleep;
use uuid::Uuid;

/// The longest wait. A busy machine is slow, and a test that passes never waits that long.
const LIMIT: Duration = Duration::from_mins(2);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Waits until the condition holds.
///
/// # Panics
/// After two minutes, with the description.
pub async fn wait_until(description: impl Display, mut condition: impl AsyncFnMut() -> bool) {
    eventually(async || if condition().await { Ok(()) } else { Err(&description) }).await;
}

/// Waits until the attempt succeeds, and returns its value.
///
/// # Panics
/// After two minutes, with the last attempt's error.
pub async fn eventually<T, E: Display>(attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    eventually_within(LIMIT, attempt).await
}

/// Waits until the attempt succeeds, and returns its value.
///
/// # Panics
/// After the limit, with the last attempt's error.
pub async fn eventually_within<T, E: Display>(limit: Duration, mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(error) => assert!(began.elapsed() < limit, "after {limit:?}: {error}"),
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
