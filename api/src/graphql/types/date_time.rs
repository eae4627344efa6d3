//! The scalar type of timestamps.

use async_graphql::{Description, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{SecondsFormat, SubsecRound as _, Utc};

/// RFC 3339, UTC
#[derive(Debug, Clone, Copy, PartialEq, Eq, Description)]
pub struct DateTime(pub chrono::DateTime<Utc>);

#[Scalar(name = "DateTime", use_type_description, specified_by_url = "https://www.rfc-editor.org/rfc/rfc3339")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.to_utc()))
            .map_err(|_| InputValueError::custom(format!("{text:?} is not a time such as 2026-01-31T08:30:00Z")))
    }

    fn to_value(&self) -> Value {
        // Both databases store microseconds. Truncation makes a value that was just written equal to the value that is
        // read back.
        Value::String(self.0.trunc_subsecs(6).to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl From<chrono::DateTime<Utc>> for DateTime {
    fn from(time: chrono::DateTime<Utc>) -> Self {
        Self(time)
    }
}
