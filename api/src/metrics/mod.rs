//! The metrics for operators: the activity of this process, and the contents of the database.
//!
//! The counts of deletions and cleanup runs are read from the database. They therefore survive a killed process, and
//! include deletions and runs of the command line.

mod collector;
mod database_gauges;
mod exposition;
mod gauge_cache;
mod requests;
mod schedule_ticks;

pub use exposition::{FORMAT, Metrics};
pub use requests::{OpenSocket, OperationGuard, Requests};
pub use schedule_ticks::Tick;
