//! Keyset paging. A page starts behind a row and not at a number, so that rows that come and go between two pages neither
//! repeat nor hide others, and a page far behind costs as much as the first
//! (<https://relay.dev/graphql/connections.htm> says what a page is, <https://use-the-index-luke.com/no-offset> why).

mod paged_query;
mod per_parent;
mod sort_order;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Cell;
use crate::error::Error;

pub use paged_query::List;
pub use sort_order::{Key, Kind, Order};

/// A row's place in a list, wherever the list then begins and ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// [`Order::name`]: a place in one order is none in another.
    #[serde(rename = "o")]
    order: Arc<str>,
    /// The row's value of the order.
    #[serde(rename = "v")]
    value: Option<Cell>,
    /// The row's id, which breaks ties.
    #[serde(rename = "i")]
    id: Cell,
}

/// Which part of a list: its first rows, or its last, between two places.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The most rows.
    pub size: u32,
    /// The last rows in place of the first.
    pub last: bool,
    /// Only rows behind this one.
    pub after: Option<Position>,
    /// Only rows before this one.
    pub before: Option<Position>,
    /// What of the rows nobody has asked for.
    pub unasked: Unasked,
}

/// What of a list's rows need not be read: every value of every row costs its part of the time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Unasked {
    /// Their places.
    pub places: bool,
    /// These columns, by the entity's names; null stands in for them.
    pub columns: Vec<&'static str>,
}

impl Unasked {
    /// What neither of two has asked for.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.columns.retain(|column| other.columns.contains(column));
        Self { places: self.places && other.places, columns: self.columns }
    }
}

impl Slice {
    /// The first rows of a list.
    #[must_use]
    pub fn first(size: u32) -> Self {
        Self { size, last: false, after: None, before: None, unasked: Unasked::default() }
    }
}

/// A part of a list, in the list's order.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows, each with its place unless nobody has asked for it.
    pub rows: Vec<(Option<Position>, T)>,
    /// Whether the list has rows behind the last of these.
    pub has_next: bool,
    /// Whether the list has rows before the first of these.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// A page of a list that has no rows.
    #[must_use]
    pub const fn empty() -> Self {
        Self { rows: Vec::new(), has_next: false, has_previous: false }
    }

    /// The same page of something else.
    ///
    /// # Errors
    /// The first one of `read`.
    pub fn map<U>(self, read: impl Fn(T) -> Result<U, Error>) -> Result<Page<U>, Error> {
        let rows = self.rows.into_iter().map(|(position, row)| Ok((position, read(row)?)));
        Ok(Page { rows: rows.collect::<Result<_, Error>>()?, has_next: self.has_next, has_previous: self.has_previous })
    }
}
