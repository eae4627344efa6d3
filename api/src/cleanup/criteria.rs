//! The criteria by which a cleanup selects sessions.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use jiff::SpanRelativeTo;
use jiff::fmt::temporal::SpanParser;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::session::{SessionFilter, SessionStatus};

/// The criteria of a cleanup, joined by AND. The default is the definition of stale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Criteria {
    /// The session is one of these; an empty list selects none.
    pub ids: Option<Vec<Uuid>>,
    /// The session has one of these statuses; an empty list selects none.
    pub statuses: Vec<SessionStatus>,
    /// Whether the session has a phone number; none for either.
    pub has_phone_number: Option<bool>,
    /// The session's last update is longer ago than this. A session without a time is not selected, since its age is
    /// unknown.
    pub older_than: Option<Age>,
    /// The session was created before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// The name, the phone number or the id contains this text, in upper or lower case.
    pub search: Option<String>,
    /// The gateway does not know the session.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missing_from_gateway: bool,
    /// The most sessions, the least recently updated first and those without a time last.
    pub limit: Option<u32>,
}

impl Default for Criteria {
    fn default() -> Self {
        Self {
            ids: None,
            statuses: SessionStatus::STALE.to_vec(),
            has_phone_number: Some(false),
            older_than: None,
            created_before: None,
            search: None,
            missing_from_gateway: false,
            limit: None,
        }
    }
}

impl Criteria {
    /// Returns the filter that each session must match in a run that was requested at `moment`. The ids, the limit and
    /// the gateway's answers are not part of the filter.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a text that no database can hold.
    pub(super) fn filter(&self, moment: DateTime<Utc>) -> Result<SessionFilter, Error> {
        if self.search.as_ref().is_some_and(|search| search.contains('\0')) {
            return Err(Error::BadInput("search must not contain NUL.".to_owned()));
        }
        Ok(SessionFilter {
            statuses: Some(self.statuses.clone()),
            has_phone_number: self.has_phone_number,
            search: self.search.clone(),
            created_before: self.created_before,
            last_activity_before: self.older_than.as_ref().map(|age| moment - age.duration),
            ..SessionFilter::default()
        })
    }
}

/// An age, written as an ISO 8601 duration: PT24H, P7D.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Age {
    text: String,
    duration: TimeDelta,
}

/// The longest age: PostgreSQL has no earlier times to compare with.
const MAX_AGE: TimeDelta = TimeDelta::days(36_500);

static PARSER: SpanParser = SpanParser::new();

impl Age {
    /// Returns the duration.
    #[must_use]
    pub const fn duration(&self) -> TimeDelta {
        self.duration
    }
}

impl FromStr for Age {
    type Err = Error;

    /// Parses weeks, days, hours, minutes and seconds; a day has 24 hours. Years and months have no fixed length.
    fn from_str(text: &str) -> Result<Self, Error> {
        let duration = PARSER
            .parse_span(text)
            .ok()
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok())
            .map(|duration| TimeDelta::milliseconds(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)))
            .filter(|duration| (TimeDelta::zero()..=MAX_AGE).contains(duration));
        let duration = duration.ok_or_else(|| {
            Error::BadInput(format!(
                "olderThan is {text:?}; it must be an ISO 8601 duration in weeks, days, hours, minutes and seconds, \
                 such as PT24H, P7D or P1DT12H, not negative and at most P36500D. Years and months are not accepted, \
                 because their length varies."
            ))
        })?;
        Ok(Self { text: text.to_owned(), duration })
    }
}

impl TryFrom<String> for Age {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Age> for String {
    fn from(age: Age) -> Self {
        age.text
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::Age;

    #[test]
    fn an_age_is_a_duration_of_one_length() {
        let hours = |text: &str| text.parse::<Age>().map(|age| age.duration);
        for (text, expected) in [("PT24H", 24), ("P7D", 168), ("P1W", 168), ("P1DT12H", 36), ("PT0S", 0)] {
            assert_eq!(hours(text).unwrap(), TimeDelta::hours(expected), "{text}");
        }
        assert_eq!(hours("PT1H30M").unwrap(), TimeDelta::minutes(90));
        assert_eq!(hours("P36500D").unwrap(), TimeDelta::days(36_500));
        for wrong in ["", "24h", "P", "PT", "24", "-PT1H", "P1Y", "P1M", "P1.5D", "1 day", "P36501D", "P9999999999999D"]
        {
            let error = hours(wrong).unwrap_err();
            assert_eq!(error.code(), "BAD_USER_INPUT", "{wrong}");
            assert!(error.to_string().starts_with(&format!("olderThan is {wrong:?}; it must be an ISO 8601 duration")));
        }
    }
}
