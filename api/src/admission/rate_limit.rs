//! A limit of requests a minute.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

const MINUTE: Duration = Duration::from_mins(1);
/// The most keys whose requests are counted; the key that was used longest ago makes room.
const MAX_KEYS: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// A limit of requests for each key, in windows of one minute. A key's window begins with its first request.
#[derive(Debug, Clone)]
pub(crate) struct RateLimit {
    /// None: any number.
    per_minute: Option<u32>,
    /// By key: when the window began, and how many requests it has had.
    windows: Arc<Mutex<LruCache<String, (Instant, u32)>>>,
}

/// The error for a key whose requests of this minute are used up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limited {
    /// The requests that are allowed a minute.
    pub(crate) per_minute: u32,
    /// The seconds until the next window begins.
    pub(crate) retry_after: u64,
}

impl RateLimit {
    /// Creates a limit of so many requests a minute; none: any number.
    pub(crate) fn new(per_minute: Option<u32>) -> Self {
        Self { per_minute, windows: Arc::new(Mutex::new(LruCache::new(MAX_KEYS))) }
    }

    /// Counts a request of this key.
    ///
    /// # Errors
    /// [`Limited`] where the key's requests of this minute are used up.
    pub(crate) fn check(&self, key: String) -> Result<(), Limited> {
        let Some(per_minute) = self.per_minute else { return Ok(()) };
        let now = Instant::now();
        // A panic leaves no window half changed.
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let (began, count) = windows.get_or_insert_mut(key, || (now, 0));
        if now.duration_since(*began) >= MINUTE {
            (*began, *count) = (now, 0);
        }
        if *count < per_minute {
            *count += 1;
            return Ok(());
        }
        let retry_after = MINUTE.saturating_sub(now.duration_since(*began)).as_secs() + 1;
        Err(Limited { per_minute, retry_after })
    }
}
