//! Groups: queries that work with whatever columns an adopted database has, and counts of what refers to them.

mod filter;
mod model;
pub mod queries;
pub mod reference_counts;

pub use filter::GroupFilter;
pub use model::Group;
