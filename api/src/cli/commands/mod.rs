//! The commands of the program, one module each.

pub(crate) mod cleanup;
pub(crate) mod completions;
pub(crate) mod delete;
pub(crate) mod deletions;
pub(crate) mod doctor;
pub(crate) mod impact;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod purge;
pub(crate) mod restore;
pub(crate) mod runs;
pub(crate) mod schema;
pub(crate) mod serve;
pub(crate) mod token;
