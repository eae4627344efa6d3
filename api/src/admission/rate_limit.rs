//! How many requests one client makes in a minute.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

const MINUTE: Duration = Duration::from_mins(1);
/// How many clients are remembered, those heard of last.
const KNOWN: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// The requests of each client in its minute, which begins with its first one.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    most: Option<u32>,
    minutes: Arc<Mutex<LruCache<String, (Instant, u32)>>>,
}

/// The client's requests of this minute are used up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limited {
    /// Requests a minute.
    pub most: u32,
    /// Seconds until the next minute begins.
    pub retry_after: u64,
}

impl Pace {
    pub(crate) fn new(most: Option<u32>) -> Self {
        Self { most, minutes: Arc::new(Mutex::new(LruCache::new(KNOWN))) }
    }

    /// Counts a request of the client with this key.
    ///
    /// # Errors
    /// [`Limited`] where its requests of this minute are used up.
    pub(crate) fn check(&self, key: String) -> Result<(), Limited> {
        let Some(most) = self.most else { return Ok(()) };
        let now = Instant::now();
        // Nothing in here can be half done.
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = minutes.get_or_insert_mut(key, || (now, 0));
        if now.duration_since(minute.0) >= MINUTE {
            *minute = (now, 0);
        }
        if minute.1 < most {
            minute.1 += 1;
            return Ok(());
        }
        let retry_after = MINUTE.saturating_sub(now.duration_since(minute.0)).as_secs() + 1;
        Err(Limited { most, retry_after })
    }
}
