//! The parsers for the values of flags.

use chrono::{DateTime, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::session::SessionStatus;

/// Parses a timestamp in RFC 3339.
pub(super) fn parse_timestamp(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| "not a time such as 2026-01-31T08:30:00Z".to_owned())
}

/// Returns a parser that maps a session status as it is stored to the status, ignoring case.
pub(super) fn session_status_parser() -> impl TypedValueParser<Value = SessionStatus> {
    let names = SessionStatus::KNOWN.into_iter().filter_map(SessionStatus::as_raw).chain(["other"]);
    PossibleValuesParser::new(names).map(|name| SessionStatus::from_raw(&name.to_ascii_lowercase()))
}
