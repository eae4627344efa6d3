//! Queries for groups, which adapt to the columns of an adopted database, and counts of the rows that refer to groups.

mod filter;
mod model;
pub mod queries;
pub mod reference_counts;

pub use filter::GroupFilter;
pub use model::Group;
