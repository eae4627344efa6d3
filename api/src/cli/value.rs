//! What some flags hold.

use chrono::{DateTime, Utc};

/// A moment in RFC 3339.
pub(super) fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.to_utc())
        .map_err(|_| "not a moment such as 2026-01-31T08:30:00Z".to_owned())
}
