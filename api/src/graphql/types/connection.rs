//! What every connection shares.

use async_graphql::SimpleObject;

/// Where a page stands in its list.
#[derive(Debug, SimpleObject)]
pub struct PageInfo {
    /// Whether nodes follow the page.
    pub has_next_page: bool,
    /// Whether nodes stand before the page.
    pub has_previous_page: bool,
    /// The first edge's cursor; null on an empty page.
    pub start_cursor: Option<String>,
    /// The last edge's cursor; null on an empty page.
    pub end_cursor: Option<String>,
}
