//! Metrics for operators: what this process has done, and what the database holds.
//!
//! Deletions and runs are counted in the database, not as they happen: the numbers survive a killed process, and
//! include those of the command line.

mod collector;
mod database_gauges;
mod exposition;
mod gauge_cache;
mod requests;
mod schedule_ticks;

pub use exposition::{FORMAT, Metrics};
pub use requests::{OpenSocket, OperationGuard, Requests};
pub use schedule_ticks::Tick;
