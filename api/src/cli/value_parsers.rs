//! What some flags hold.

use chrono::{DateTime, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::session::SessionStatus;

/// A moment in RFC 3339.
pub(super) fn parse_timestamp(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.to_utc())
        .map_err(|_| "not a moment such as 2026-01-31T08:30:00Z".to_owned())
}

/// A session's status by the word that is stored.
pub(super) fn session_status() -> impl TypedValueParser<Value = SessionStatus> {
    let words = SessionStatus::KNOWN.into_iter().filter_map(SessionStatus::as_raw).chain(["other"]);
    PossibleValuesParser::new(words).map(|word| SessionStatus::from_raw(&word.to_ascii_lowercase()))
}
