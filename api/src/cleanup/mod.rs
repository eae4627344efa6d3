//! Cleanup: deleting the sessions that meet criteria, in short transactions that follow one another.
//!
//! [`fn@start`] fixes the list of sessions in a run's rows; a [`Worker`] takes the run and goes through it. What a run has
//! come to, and whose turn it is, is in the database and nowhere else, so a worker may stop after any step, and another
//! one go on.

mod batch_size;
mod cancel_run;
mod create_run;
mod criteria;
mod delete_batch;
mod eligibility;
mod executor;
mod gateway_filter;
mod preview;
mod restore_run;
pub(crate) mod run_claim;
mod run_lease;
mod run_progress;
mod run_queries;
mod run_record;
mod run_watcher;
mod scheduled_run;

use serde::Serialize;
use uuid::Uuid;

use crate::error::Error;
use crate::impact::{Impact, ImpactChange};
use crate::refusal::{Refusal, RefusalCode};

pub use batch_size::Pace;
pub use cancel_run::{RunOutcome, cancel, give_up};
pub use create_run::start;
pub use criteria::{Age, Criteria};
pub use executor::Worker;
pub use preview::{Preview, SAMPLE, preview};
pub use restore_run::{RestoreRunRequest, restore};
pub use run_queries::{count, page, skipped, skipped_of_each};
pub use run_record::{CleanupRun, RunKind, RunStatus, count_by_status, find, find_many};
pub use run_watcher::Watch;
pub use scheduled_run::{Plan, Ticked};

/// What is asked for.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is something the caller says by itself")]
pub struct CleanupRequest {
    /// Which sessions.
    pub criteria: Criteria,
    /// Only say what a run would do.
    pub dry_run: bool,
    /// The token of the impact that was looked at; compared once, before anything is deleted.
    pub expected_impact: Option<String>,
    /// Refuse if more rows than this would be deleted, and stop before the batch that would pass it.
    pub at_most: Option<i64>,
    /// Connected sessions may go.
    pub allow_connected: bool,
    /// Messages still to be sent may go.
    pub allow_pending_messages: bool,
    /// Keep what is deleted, so that it can be restored.
    pub archive: bool,
    /// Why, for the audit record.
    pub reason: Option<String>,
    /// Answer the run that was started under this key again.
    pub idempotency_key: Option<String>,
    /// Who asks, for the audit record and the key.
    pub principal: String,
}

impl Default for CleanupRequest {
    /// The stale sessions; nothing is allowed, and what goes is kept.
    fn default() -> Self {
        Self {
            criteria: Criteria::default(),
            dry_run: false,
            expected_impact: None,
            at_most: None,
            allow_connected: false,
            allow_pending_messages: false,
            archive: true,
            reason: None,
            idempotency_key: None,
            principal: String::new(),
        }
    }
}

/// What came of it: a run, or refusals; on a dry run what a run would do, and what would refuse all of it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CleanupOutcome {
    /// The run; none on a dry run or a refusal.
    pub run: Option<CleanupRun>,
    /// What deleting every matching session would do, or would have done when the run was started.
    pub impact: Option<Impact>,
    /// On a dry run: what deleting those of them does that would go.
    pub would_go: Option<Impact>,
    /// On a dry run: those that would stay, each with the reason.
    pub skipped: Vec<SkippedSession>,
    /// Where it differs from what was looked at.
    pub changes: Vec<ImpactChange>,
    /// Why there is no run.
    pub refusals: Vec<Refusal>,
    /// Whether the run was started before, under the same key.
    pub repeated: bool,
}

/// A session that a run leaves, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedSession {
    /// Its id.
    #[serde(rename = "id")]
    pub session_id: Uuid,
    /// The stable code.
    pub code: RefusalCode,
    /// What is the matter and what to do next.
    pub message: String,
}

impl SkippedSession {
    fn new(session_id: Uuid, code: RefusalCode, message: impl Into<String>) -> Self {
        Self { session_id, code, message: message.into() }
    }
}

/// An id that a run's row holds.
fn id(text: &str) -> Result<Uuid, Error> {
    text.parse().map_err(|_| Error::Unsuitable(format!("A cleanup run's record holds {text}, which is no UUID.")))
}
