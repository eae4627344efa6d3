//! Deletion on SQLite.

pub(crate) mod change_audit;
pub(super) mod delete_rows;
mod foreign_key_check;

pub(crate) use foreign_key_check::broken_references;
