//! Cleanup runs in the background: workers take them from a queue that is stored in the same database.
//!
//! The queue is apalis'. A job carries only the id of its run; the run's state and lease are in the run's own row
//! ([`crate::cleanup`]), so a job that is lost or delivered twice does no harm.

mod consumer;
pub mod cron;
mod gateway_wait;
mod job_queue;
mod job_runner;
mod requeue;
mod stop_signal;
mod workers;

pub use job_queue::JobQueue;
pub use workers::Workers;
