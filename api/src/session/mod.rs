//! Sessions: queries that work with whatever columns an adopted database has.

mod filter;
mod model;
pub mod queries;

pub use entity::session_status::SessionStatus;
pub use filter::SessionFilter;
pub use model::Session;
