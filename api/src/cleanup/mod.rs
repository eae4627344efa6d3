//! Cleanup: deleting the sessions that meet criteria, in short transactions that follow one another.
//!
//! [`fn@create_run`] fixes the list of sessions in a run's rows; a [`RunExecutor`] takes the run and deletes its sessions batch
//! by batch. A run's progress and its lease are in the database and nowhere else, so a worker may stop after any step,
//! and another one continues.

mod batch_size;
mod cancel_run;
mod create_run;
mod criteria;
mod delete_batch;
mod eligibility;
mod executor;
mod gateway_filter;
mod model;
mod preview;
mod restore_run;
mod run_claim;
mod run_erasure;
mod run_job;
mod run_lease;
mod run_progress;
mod run_queries;
mod run_record;
mod run_watcher;
mod scheduled_run;

pub use batch_size::BatchSize;
pub use cancel_run::{cancel, give_up};
pub use create_run::create_run;
pub use criteria::{Age, Criteria};
pub use executor::RunExecutor;
pub use model::{CleanupOutcome, CleanupRequest, CleanupRun, RunKind, RunOutcome, RunStatus, SkippedSession};
pub use preview::{Preview, SAMPLE, preview};
pub use restore_run::{RestoreRunRequest, restore};
pub use run_erasure::RunErasure;
pub(crate) use run_job::{RunWithoutJob, find_without_job, replace_job};
pub use run_queries::{count, find_skipped, find_skipped_of_each, page};
pub use run_record::{count_by_status, find, find_many};
pub use run_watcher::RunWatcher;
pub use scheduled_run::{ScheduledCleanup, TickOutcome};
