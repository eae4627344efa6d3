//! The clock that supplies the current time as a parameter. Tests set it; nothing else in the program reads system
//! time.

use chrono::{DateTime, SubsecRound, Utc};

/// The source of the current time.
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The system clock.
    #[default]
    System,
    /// A clock that always returns the same time.
    Fixed(DateTime<Utc>),
}

impl Clock {
    /// Returns the current UTC time, truncated to microseconds, which is the precision that the databases store.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn now(self) -> DateTime<Utc> {
        let now = match self {
            Self::System => Utc::now(),
            Self::Fixed(time) => time,
        };
        now.trunc_subsecs(6)
    }
}
