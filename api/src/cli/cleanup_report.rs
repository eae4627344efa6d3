//! The JSON documents that the commands `cleanup` and `runs` print.

use serde::Serialize;
use uuid::Uuid;

use super::exit::Exit;
use crate::cleanup::{CleanupOutcome, CleanupRun, Preview, RunStatus};
use crate::impact::{Impact, ImpactChange};
use crate::refusal::{Refusal, RefusalCode};
use crate::session::Session;

/// The result of the command `cleanup`: a preview, and the outcome of the requested run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CleanupReport {
    /// The number of sessions that meet the criteria.
    pub session_count: i64,
    /// The first sessions that meet the criteria.
    pub sample: Vec<Session>,
    /// The impact of deleting all sessions that meet the criteria.
    pub impact: Impact,
    /// The impact of deleting the sessions that would not be skipped. Only a dry run has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_go: Option<Impact>,
    /// The differences between the expected and the current impact.
    pub changes: Vec<ImpactChange>,
    /// The reasons why no run was created.
    pub refusals: Vec<Refusal>,
    /// The created run, if there is one.
    pub run: Option<CleanupRun>,
    /// The sessions that the run skipped or, on a dry run, would skip.
    pub skipped: Vec<SkippedRow>,
}

impl CleanupReport {
    /// Creates the report from a preview, before a run is requested.
    pub fn from_preview(preview: Preview) -> Self {
        Self {
            session_count: preview.session_count,
            sample: preview.sample,
            impact: preview.impact,
            would_go: None,
            changes: Vec::new(),
            refusals: Vec::new(),
            run: None,
            skipped: Vec::new(),
        }
    }

    /// Adds the outcome of the requested run.
    pub fn add_outcome(&mut self, outcome: CleanupOutcome) {
        self.run = outcome.run;
        self.changes = outcome.changes;
        self.refusals = outcome.refusals;
        self.would_go = outcome.would_go;
        if let Some(impact) = outcome.impact {
            self.impact = impact;
        }
    }

    /// Returns the exit code of `cleanup`: [`Exit::Refused`] if no run was created because of a refusal, or if a
    /// session was or would be skipped.
    pub fn exit(&self) -> Exit {
        match &self.run {
            Some(run) => run_exit(run),
            None if self.refusals.is_empty() && self.skipped.is_empty() => Exit::Done,
            None => Exit::Refused,
        }
    }
}

/// A cleanup run and the sessions that it skipped.
#[derive(Serialize)]
pub(super) struct RunReport<'a> {
    pub run: &'a CleanupRun,
    pub skipped: &'a [SkippedRow],
}

/// A session that a cleanup run skipped, with the reason.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SkippedRow {
    pub session_id: Uuid,
    /// The session's name; `None` if the session no longer exists.
    pub name: Option<String>,
    pub code: RefusalCode,
    pub message: String,
}

/// Returns the exit code for a cleanup run: [`Exit::Done`] if it succeeded and skipped no session, [`Exit::Refused`]
/// for any other finished run, [`Exit::Failed`] for an unfinished one.
pub(super) fn run_exit(run: &CleanupRun) -> Exit {
    match run.status {
        RunStatus::Succeeded if run.sessions_skipped == 0 => Exit::Done,
        _ if run.status.has_finished() => Exit::Refused,
        _ => Exit::Failed,
    }
}
