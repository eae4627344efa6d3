//! Deletion on PostgreSQL.

pub(super) mod delete_rows;
mod statements;
mod table_stats;

pub(crate) use table_stats::{ChangedRows, TableChanges, changes_so_far};
