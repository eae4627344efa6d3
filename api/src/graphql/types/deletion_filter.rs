//! The filter of a list of deletions.

use async_graphql::{ID, InputObject};

use super::{DateTime, DeletionStatus};
use crate::deletion;
use crate::error::Error;
use crate::graphql::arguments::{check_text, parse_id};

/// What the listed deletions meet, all of it. A null, like a field that is left out, asks for nothing; an empty list is met by none.
#[derive(Debug, Default, InputObject)]
pub struct DeletionFilter {
    /// In one of these states.
    statuses: Option<Vec<DeletionStatus>>,
    /// Took this session.
    session_id: Option<ID>,
    /// A batch of this cleanup run.
    run_id: Option<ID>,
    /// Made by this principal, as it stands in deletedBy.
    deleted_by: Option<String>,
    /// Made after this moment.
    deleted_after: Option<DateTime>,
    /// Made before this moment.
    deleted_before: Option<DateTime>,
}

impl TryFrom<DeletionFilter> for deletion::DeletionFilter {
    type Error = Error;

    fn try_from(filter: DeletionFilter) -> Result<Self, Error> {
        let statuses = |statuses: Vec<DeletionStatus>| statuses.into_iter().map(Into::into).collect();
        Ok(Self {
            statuses: filter.statuses.map(statuses),
            session_id: filter.session_id.as_ref().map(parse_id).transpose()?,
            run_id: filter.run_id.as_ref().map(parse_id).transpose()?,
            deleted_by: filter.deleted_by.map(|name| check_text("filter.deletedBy", name)).transpose()?,
            deleted_after: filter.deleted_after.map(|time| time.0),
            deleted_before: filter.deleted_before.map(|time| time.0),
        })
    }
}
