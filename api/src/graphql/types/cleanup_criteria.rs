//! The criteria of a cleanup.

use std::borrow::Cow;

use async_graphql::registry::Registry;
use async_graphql::{ID, InputObject, InputObjectType, InputType, InputValueError, InputValueResult, Value};

use super::{DateTime, SessionStatus};
use crate::cleanup;
use crate::error::Error;
use crate::graphql::arguments::{check_text, parse_ids};

/// Criteria are joined by AND. Left out, {} and empty are the same: the definition of stale. An empty list matches nothing;
/// a null hasPhoneNumber means either. Sessions named in ids that miss the other criteria are listed as skipped.
#[derive(Debug, InputObject)]
#[graphql(name = "CleanupCriteria")]
struct Fields {
    /// Only these; at most 1,000.
    ids: Option<Vec<ID>>,
    /// Only with one of these statuses.
    #[graphql(default_with = "stale_statuses()")]
    statuses: Vec<SessionStatus>,
    /// Only with a phone number, or only without one.
    #[graphql(default_with = "Some(false)")]
    has_phone_number: Option<bool>,
    /// ISO 8601 duration since the last update, such as PT24H or P7D.
    older_than: Option<String>,
    /// Only those made before this moment.
    created_before: Option<DateTime>,
    /// Only those with this in the name, the phone number or the id, in any case.
    search: Option<String>,
    /// Only sessions that the gateway answers NOT_FOUND for.
    missing_from_gateway: Option<bool>,
    /// At most this many, the least recently updated first.
    limit: Option<i32>,
}

/// The criteria of a cleanup as an optional argument with the default `{}`.
///
/// For an ordinary input object, async-graphql prints the default with all fields and reads it from Rust's `Default`
/// instead of the defaults of the fields. This type prints `{}` and parses it like any other value.
#[derive(Debug)]
pub struct CleanupCriteria(Fields);

fn stale_statuses() -> Vec<SessionStatus> {
    crate::session::SessionStatus::STALE.map(Into::into).to_vec()
}

impl Default for CleanupCriteria {
    fn default() -> Self {
        Self(Fields {
            ids: None,
            statuses: stale_statuses(),
            has_phone_number: Some(false),
            older_than: None,
            created_before: None,
            search: None,
            missing_from_gateway: None,
            limit: None,
        })
    }
}

impl InputType for CleanupCriteria {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Fields::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Fields::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        Fields::parse(value).map(Self).map_err(InputValueError::propagate)
    }

    fn to_value(&self) -> Value {
        // Only the SDL text needs a value of this type: the default.
        Value::Object(async_graphql::indexmap::IndexMap::new())
    }

    fn federation_fields() -> Option<String> {
        Fields::federation_fields()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl InputObjectType for CleanupCriteria {}

impl TryFrom<CleanupCriteria> for cleanup::Criteria {
    type Error = Error;

    fn try_from(CleanupCriteria(fields): CleanupCriteria) -> Result<Self, Error> {
        let limit = |limit: i32| {
            let message = || format!("criteria.limit is {limit}; it must not be negative.");
            u32::try_from(limit).map_err(|_| Error::BadInput(message()))
        };
        Ok(Self {
            ids: fields.ids.as_deref().map(|ids| parse_ids("criteria.ids", ids)).transpose()?,
            statuses: fields.statuses.into_iter().map(Into::into).collect(),
            has_phone_number: fields.has_phone_number,
            older_than: fields.older_than.map(|age| age.parse()).transpose()?,
            created_before: fields.created_before.map(|time| time.0),
            search: fields.search.map(|text| check_text("criteria.search", text)).transpose()?,
            missing_from_gateway: fields.missing_from_gateway.unwrap_or_default(),
            limit: fields.limit.map(limit).transpose()?,
        })
    }
}
