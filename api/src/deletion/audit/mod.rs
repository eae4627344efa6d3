//! Audit.

pub mod query;
pub(crate) mod record;
