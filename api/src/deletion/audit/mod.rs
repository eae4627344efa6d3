//! The audit trail: one record for every deletion, written in its transaction and never deleted.

pub mod query;
pub(crate) mod record;
pub(crate) mod run_deletions;
