//! How many requests one client makes in a minute.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use lru::LruCache;

use super::App;
use super::answer::Refusal;

const MINUTE: Duration = Duration::from_mins(1);
/// How many clients are remembered, those heard of last.
const KNOWN: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// Whose requests are counted together: a token's, wherever it is used; while none is needed, an address's.
fn counted_as(app: &App) -> String {
    let principal = app.state.principal();
    let address = || app.client.address().map(|address| address.to_string()).unwrap_or_default();
    // No token's name has a colon.
    if principal.is_local() { format!("from:{}", address()) } else { principal.name().to_owned() }
}

/// The requests of each client in its minute, which begins with its first one.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    most: Option<u32>,
    minutes: Arc<Mutex<LruCache<String, (Instant, u32)>>>,
}

impl Pace {
    pub(super) fn new(most: Option<u32>) -> Self {
        Self { most, minutes: Arc::new(Mutex::new(LruCache::new(KNOWN))) }
    }

    /// Counts a request, or refuses it.
    pub(super) fn count(&self, app: &App) -> Result<(), Refusal> {
        let Some(most) = self.most else { return Ok(()) };
        let now = Instant::now();
        // Nothing in here can be half done.
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minutes.get_or_insert_mut(counted_as(app), || (now, 0));
        if now.duration_since(minute.0) >= MINUTE {
            *minute = (now, 0);
        }
        if minute.1 < most {
            minute.1 += 1;
            return Ok(());
        }
        let left = MINUTE.saturating_sub(now.duration_since(minute.0)).as_secs() + 1;
        Err(Refusal {
            code: "RATE_LIMITED",
            retry_after: Some(left),
            ..Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!("At most {most} requests a minute are answered. Try again in {left} seconds."),
            )
        })
    }
}
