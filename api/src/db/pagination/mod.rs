//! Keyset pagination.
//!
//! A page starts after a row and not at an offset. Rows that are added or deleted between two pages neither repeat nor
//! hide others, and a late page costs as much as the first. <https://relay.dev/graphql/connections.htm> defines the
//! pages, <https://use-the-index-luke.com/no-offset> explains why.

mod cursor;
mod page;
mod paged_query;
mod per_parent;
mod sort_order;

pub use cursor::Cursor;
pub use page::{Page, PageRequest, Projection};
pub use paged_query::PagedQuery;
pub use sort_order::{KeyType, SortKey, SortOrder};
