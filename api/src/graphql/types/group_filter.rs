//! The filter and the order of a list of groups.

use async_graphql::{Enum, ID, InputObject};

use super::OrderDirection;
use crate::db::pagination::PageRequest;
use crate::error::Error;
use crate::graphql::arguments::{check_text, parse_ids};
use crate::group;
use crate::group::queries::{GroupPageRequest, GroupSortKey};

/// What the listed groups meet, all of it. A null, like a field that is left out, asks for nothing; an empty list is met by none.
#[derive(Debug, Default, InputObject)]
pub struct GroupFilter {
    /// One of these; at most 1,000.
    ids: Option<Vec<ID>>,
    /// Of one of these sessions; at most 1,000.
    session_ids: Option<Vec<ID>>,
    /// Part of the name, the jid or the id, in any case.
    search: Option<String>,
}

impl TryFrom<GroupFilter> for group::GroupFilter {
    type Error = Error;

    fn try_from(filter: GroupFilter) -> Result<Self, Error> {
        Ok(Self {
            ids: filter.ids.as_deref().map(|ids| parse_ids("filter.ids", ids)).transpose()?,
            session_ids: filter.session_ids.as_deref().map(|ids| parse_ids("filter.sessionIds", ids)).transpose()?,
            search: filter.search.map(|text| check_text("filter.search", text)).transpose()?,
        })
    }
}

/// The order of a list of groups. Ties are broken by the id; a null sorts as the oldest or smallest.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct GroupOrder {
    /// What decides.
    #[graphql(default_with = "GroupOrderField::Name")]
    field: GroupOrderField,
    /// Which end comes first.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl Default for GroupOrder {
    fn default() -> Self {
        Self { field: GroupOrderField::Name, direction: OrderDirection::Asc }
    }
}

/// What a list of groups is ordered by.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "GroupSortKey")]
pub enum GroupOrderField {
    /// The name, as the group shows it.
    Name,
    /// How many people are in the group.
    ParticipantCount,
    /// When the row was made.
    CreatedAt,
}

/// Returns the part of a list of groups that the arguments of a field request.
///
/// # Errors
/// Returns [`Error::BadInput`] if the filter is invalid.
pub(in crate::graphql) fn group_part(
    filter: Option<GroupFilter>,
    order: Option<GroupOrder>,
    slice: PageRequest,
) -> Result<GroupPageRequest, Error> {
    let order = order.unwrap_or_default();
    Ok(GroupPageRequest {
        filter: filter.unwrap_or_default().try_into()?,
        by: order.field.into(),
        descending: order.direction.descending(),
        slice,
    })
}
