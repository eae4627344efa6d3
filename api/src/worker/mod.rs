//! The background execution of cleanup runs: workers take them from a job queue in the same database.
//!
//! The queue is provided by apalis. A job contains only the id of its run. The run's state and lease are stored with
//! the run ([`crate::cleanup`]), so a job that is lost or delivered twice is harmless.

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
