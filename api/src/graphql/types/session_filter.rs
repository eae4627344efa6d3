//! The filter and the order of a list of sessions.

use async_graphql::{Enum, ID, InputObject};

use super::{DateTime, OrderDirection, SessionStatus};
use crate::error::Error;
use crate::graphql::arguments::{check_text, parse_ids};
use crate::session;
use crate::session::queries::SessionSortKey;

/// What the listed sessions meet, all of it. A null, like a field that is left out, asks for nothing; an empty list is met by none.
#[derive(Debug, Default, InputObject)]
pub struct SessionFilter {
    /// One of these; at most 1,000.
    ids: Option<Vec<ID>>,
    /// In one of these states.
    statuses: Option<Vec<SessionStatus>>,
    /// Whether they are stale.
    stale: Option<bool>,
    /// Whether they have a phone number.
    has_phone_number: Option<bool>,
    /// Part of the name, the phone number or the id, in any case.
    search: Option<String>,
    /// Made before this moment.
    created_before: Option<DateTime>,
    /// Made after this moment.
    created_after: Option<DateTime>,
    /// Last changed before this moment.
    updated_before: Option<DateTime>,
    /// Last changed after this moment.
    updated_after: Option<DateTime>,
}

impl TryFrom<SessionFilter> for session::SessionFilter {
    type Error = Error;

    fn try_from(filter: SessionFilter) -> Result<Self, Error> {
        Ok(Self {
            ids: filter.ids.as_deref().map(|ids| parse_ids("filter.ids", ids)).transpose()?,
            statuses: filter.statuses.map(|statuses| statuses.into_iter().map(Into::into).collect()),
            stale: filter.stale,
            has_phone_number: filter.has_phone_number,
            search: filter.search.map(|text| check_text("filter.search", text)).transpose()?,
            created_before: filter.created_before.map(|time| time.0),
            created_after: filter.created_after.map(|time| time.0),
            updated_before: filter.updated_before.map(|time| time.0),
            updated_after: filter.updated_after.map(|time| time.0),
            last_activity_before: None,
        })
    }
}

/// The order of a list of sessions. Ties are broken by the id; a null sorts as the oldest or smallest.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct SessionOrder {
    /// What decides.
    #[graphql(default_with = "SessionOrderField::CreatedAt")]
    pub field: SessionOrderField,
    /// Which end comes first.
    #[graphql(default_with = "OrderDirection::Desc")]
    pub direction: OrderDirection,
}

impl Default for SessionOrder {
    fn default() -> Self {
        Self { field: SessionOrderField::CreatedAt, direction: OrderDirection::Desc }
    }
}

/// What a list of sessions is ordered by.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "SessionSortKey")]
pub enum SessionOrderField {
    /// When the row was made.
    CreatedAt,
    /// When the row was last changed.
    UpdatedAt,
    /// The name, as the session shows it.
    Name,
    /// The status, as it is stored.
    Status,
}
