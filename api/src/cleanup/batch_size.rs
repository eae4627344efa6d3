//! How much one batch takes: its rows, since they are what a transaction costs.

use std::time::Duration;

/// How long the deletion of a batch is to take.
const AIM: Duration = Duration::from_millis(200);
/// The rows that a batch is made to touch at most, however fast the database is.
const MOST: i64 = 100_000;
/// A batch is not made smaller than this: what is slow then is the way to the database, and more batches go it more
/// often.
const LEAST: i64 = 500;
/// The most sessions in one batch.
const SESSIONS: usize = 100;

/// How much the next batch takes. It is only a worker's: another one begins anew and finds it out for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The rows that a batch is to touch: deleted or unlinked.
    rows: i64,
    /// The most sessions in it.
    sessions: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self::of_rows(5_000)
    }
}

impl Pace {
    /// Begins with so many rows.
    #[must_use]
    pub const fn of_rows(rows: i64) -> Self {
        Self { rows, sessions: SESSIONS }
    }

    /// How many of the first sessions go, of which each touches so many rows: one at least.
    pub(super) fn takes(self, touched: impl IntoIterator<Item = i64>) -> usize {
        let mut sum: i64 = 0;
        let fit = touched.into_iter().take(self.sessions).take_while(|rows| {
            sum = sum.saturating_add(*rows);
            sum <= self.rows
        });
        fit.count().max(1)
    }

    /// A batch went: how long it took says how many rows the next one takes. A batch that was small for want of
    /// sessions says little, unless it took too long.
    pub(super) fn went(&mut self, rows: i64, took: Duration) {
        self.sessions = (self.sessions * 2).min(SESSIONS);
        if rows * 2 < self.rows && took < AIM {
            return;
        }
        let took = i64::try_from(took.as_micros()).unwrap_or(i64::MAX).max(1);
        let aim = i64::try_from(AIM.as_micros()).unwrap_or(i64::MAX);
        let ideal = rows.saturating_mul(aim) / took;
        let least = (self.rows / 2).max(LEAST.min(self.rows));
        self.rows = ideal.clamp(least, self.rows.saturating_mul(2)).min(MOST);
    }

    /// A batch was refused: whichever session it was, it is soon alone. A batch of sessions that wait for one another may
    /// be larger than what was wanted; the next one is wanted no larger for that.
    pub(super) fn shrink(&mut self, sessions: usize) {
        self.sessions = (sessions / 10).clamp(1, self.sessions);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Pace;

    #[test]
    fn a_batch_has_as_many_sessions_as_fit_and_one_at_least() {
        let pace = Pace::of_rows(100);
        assert_eq!(pace.takes([60, 40, 1]), 2);
        assert_eq!(pace.takes([101, 1]), 1);
        assert_eq!(pace.takes([0; 500]), 100);
    }

    #[test]
    fn the_next_batch_follows_from_how_long_the_last_one_took() {
        let after = |rows, millis| {
            let mut pace = Pace::of_rows(5_000);
            pace.went(rows, Duration::from_millis(millis));
            pace.rows
        };
        assert_eq!(after(5_000, 200), 5_000);
        assert_eq!(after(5_000, 250), 4_000);
        assert_eq!(after(5_000, 10), 10_000, "twice as many at most");
        assert_eq!(after(5_000, 60_000), 2_500, "half as many at least");
        assert_eq!(after(10, 1), 5_000, "a small one says nothing");
        assert_eq!(after(100, 1_000), 2_500, "unless it was slow");
        let mut pace = Pace::of_rows(600);
        for _ in 0..5 {
            pace.went(100, Duration::from_secs(1));
        }
        assert_eq!(pace.rows, 500, "slow without many rows: the way is long");
    }

    #[test]
    fn after_a_refusal_sessions_go_by_themselves_and_soon_together_again() {
        let mut pace = Pace::of_rows(5_000);
        pace.shrink(100);
        assert_eq!(pace.takes([1; 50]), 10);
        pace.shrink(10);
        assert_eq!(pace.takes([1; 50]), 1);
        pace.went(1, Duration::from_millis(1));
        pace.went(2, Duration::from_millis(1));
        assert_eq!(pace.takes([1; 50]), 4);
        pace.shrink(50);
        assert_eq!(pace.takes([1; 50]), 4, "never more than before");
    }
}
