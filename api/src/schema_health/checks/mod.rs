//! The checks, one in each file. Each is a function from the context to drafts of findings.

mod blocks_deletion;
mod direct_delete;
mod duplicate;
mod grants;
mod orphans;
mod row_security;
mod rule_drift;
mod run_all;
mod set_null;
mod triggers;
mod unindexed;
mod unvalidated;

pub(super) use run_all::run_all;
