//! The direction of a sorted list.

use async_graphql::Enum;

/// Which end of an order comes first.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderDirection {
    /// The smallest or oldest first.
    Asc,
    /// The largest or newest first.
    Desc,
}

impl OrderDirection {
    /// Returns whether the largest value comes first.
    pub(in crate::graphql) fn descending(self) -> bool {
        self == Self::Desc
    }
}
