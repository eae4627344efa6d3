//! The restore of a deletion. Every deleted row and every cleared reference is restored, or nothing is changed and the
//! conflicts are listed.

mod archived_table;
mod attempt;
mod checks;
mod columns;
mod conflict;
mod context;
mod execute;
mod model;
mod postgres;
mod references;
mod refusals;
mod row_counts;
mod sqlite;
mod target_rows;

pub use execute::restore;
pub(crate) use execute::restore_batch;
pub use model::{Conflict, RestoreOutcome, RestoreRequest};
