//! The time, as a parameter: tests set it, and nothing else in the program asks the system for it.

use chrono::{DateTime, SubsecRound, Utc};

/// Where the time comes from.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// Always the same moment.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// Now, in UTC, to the microsecond, which is as much as the databases keep.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn now(self) -> DateTime<Utc> {
        let now = match self {
            Self::System => Utc::now(),
            Self::Fixed(moment) => moment,
        };
        now.trunc_subsecs(6)
    }
}
