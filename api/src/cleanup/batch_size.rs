//! The size of a batch, in rows: they are what a transaction costs.

use std::time::Duration;

/// The duration that the deletion of a batch aims at.
const TARGET_DURATION: Duration = Duration::from_millis(200);
/// The most rows that a batch is planned to change, however fast the database is.
const MAX_ROWS: i64 = 100_000;
/// The fewest rows of a batch. A smaller batch would not help where the connection is slow: more batches need more
/// round trips.
const MIN_ROWS: i64 = 500;
/// The most sessions in one batch.
const MAX_SESSIONS: usize = 100;

/// The size of the next batch. Each worker adapts its own, and begins with the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSize {
    /// The rows that a batch is to delete or unlink.
    rows: i64,
    /// The most sessions in the batch.
    sessions: usize,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self::with_row_budget(5_000)
    }
}

impl BatchSize {
    /// Returns a size of so many rows.
    #[must_use]
    pub const fn with_row_budget(rows: i64) -> Self {
        Self { rows, sessions: MAX_SESSIONS }
    }

    /// Returns how many of the first sessions fit into a batch, given the rows that each of them changes: at least one.
    pub(super) fn sessions_that_fit(self, rows_changed: impl IntoIterator<Item = i64>) -> usize {
        let mut sum: i64 = 0;
        let fitting = rows_changed.into_iter().take(self.sessions).take_while(|rows| {
            sum = sum.saturating_add(*rows);
            sum <= self.rows
        });
        fitting.count().max(1)
    }

    /// Adapts the size to the rows and the duration of a deleted batch. A batch that was small for lack of sessions
    /// says little, unless it took too long.
    pub(super) fn adapt(&mut self, rows: i64, duration: Duration) {
        self.sessions = (self.sessions * 2).min(MAX_SESSIONS);
        if rows * 2 < self.rows && duration < TARGET_DURATION {
            return;
        }
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let ideal = rows.saturating_mul(micros(TARGET_DURATION)) / micros(duration).max(1);
        let least = (self.rows / 2).max(MIN_ROWS.min(self.rows));
        self.rows = ideal.clamp(least, self.rows.saturating_mul(2)).min(MAX_ROWS);
    }

    /// Shrinks the size after the refusal of a batch of so many sessions, so that the refused session is soon alone. A
    /// batch of sessions that block one another may have been larger than the size, which does not grow for that.
    pub(super) fn shrink(&mut self, sessions: usize) {
        self.sessions = (sessions / 10).clamp(1, self.sessions);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::BatchSize;

    #[test]
    fn a_batch_has_as_many_sessions_as_fit_and_one_at_least() {
        let pace = BatchSize::with_row_budget(100);
        assert_eq!(pace.sessions_that_fit([60, 40, 1]), 2);
        assert_eq!(pace.sessions_that_fit([101, 1]), 1);
        assert_eq!(pace.sessions_that_fit([0; 500]), 100);
    }

    #[test]
    fn the_next_batch_follows_from_how_long_the_last_one_took() {
        let after = |rows, millis| {
            let mut pace = BatchSize::with_row_budget(5_000);
            pace.adapt(rows, Duration::from_millis(millis));
            pace.rows
        };
        assert_eq!(after(5_000, 200), 5_000);
        assert_eq!(after(5_000, 250), 4_000);
        assert_eq!(after(5_000, 10), 10_000, "twice as many at most");
        assert_eq!(after(5_000, 60_000), 2_500, "half as many at least");
        assert_eq!(after(10, 1), 5_000, "a small one says nothing");
        assert_eq!(after(100, 1_000), 2_500, "unless it was slow");
        let mut pace = BatchSize::with_row_budget(600);
        for _ in 0..5 {
            pace.adapt(100, Duration::from_secs(1));
        }
        assert_eq!(pace.rows, 500, "slow without many rows: the way is long");
    }

    #[test]
    fn after_a_refusal_sessions_go_by_themselves_and_soon_together_again() {
        let mut pace = BatchSize::with_row_budget(5_000);
        pace.shrink(100);
        assert_eq!(pace.sessions_that_fit([1; 50]), 10);
        pace.shrink(10);
        assert_eq!(pace.sessions_that_fit([1; 50]), 1);
        pace.adapt(1, Duration::from_millis(1));
        pace.adapt(2, Duration::from_millis(1));
        assert_eq!(pace.sessions_that_fit([1; 50]), 4);
        pace.shrink(50);
        assert_eq!(pace.sessions_that_fit([1; 50]), 4, "never more than before");
    }
}
