//! Working off a cleanup run, and telling what came of it.

use std::cell::Cell;
use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use uuid::Uuid;

use super::output::{Output, note};
use super::{Exit, render, shutdown_signal};
use crate::cleanup::{self, CleanupOutcome, CleanupRun, Pace, Preview, RunStatus, SkippedSession, Worker};
use crate::db::Database;
use crate::db::pagination::Slice;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::impact::{Impact, ImpactChange};
use crate::refusal::{Refusal, RefusalCode};
use crate::session::{Session, queries};
use crate::worker::Queue;

/// What a cleanup would do, or has done, as a document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// How many sessions meet the criteria.
    pub session_count: i64,
    /// The first of them.
    pub sample: Vec<Session>,
    /// What deleting all of them does.
    pub impact: Impact,
    /// On a dry run: what deleting those of them does that would go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_go: Option<Impact>,
    /// Where it differs from what was looked at.
    pub changes: Vec<ImpactChange>,
    /// Why there is no run.
    pub refusals: Vec<Refusal>,
    /// The run.
    pub run: Option<CleanupRun>,
    /// The sessions that it left, or would.
    pub skipped: Vec<Skipped>,
}

/// A session that a run left, and why.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Skipped {
    pub session_id: Uuid,
    /// None where it no longer exists.
    pub name: Option<String>,
    pub code: RefusalCode,
    pub message: String,
}

impl Report {
    /// Nothing has been asked for yet.
    pub fn of(preview: Preview) -> Self {
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

    /// Takes in what was answered.
    pub fn answer(&mut self, outcome: CleanupOutcome) {
        self.run = outcome.run;
        self.changes = outcome.changes;
        self.refusals = outcome.refusals;
        self.would_go = outcome.would_go;
        if let Some(impact) = outcome.impact {
            self.impact = impact;
        }
    }

    pub fn exit(&self) -> Exit {
        match &self.run {
            Some(run) => exit(run),
            None if self.refusals.is_empty() && self.skipped.is_empty() => Exit::Done,
            None => Exit::Refused,
        }
    }
}

/// Done is a run that has left nothing.
fn exit(run: &CleanupRun) -> Exit {
    match run.status {
        RunStatus::Succeeded if run.sessions_skipped == 0 => Exit::Done,
        _ if run.status.has_finished() => Exit::Refused,
        _ => Exit::Failed,
    }
}

/// Leaves the run of an answer, where there is one, to a server, and tells.
pub(super) async fn detach(db: &Database, report: &Report, output: Output) -> Exit {
    match &report.run {
        Some(run) => {
            if !run.status.has_finished() {
                Queue::new(db).push(run.id).await;
            }
            output.text(render::cleanup_detached(run));
        }
        None => output.text(render::cleanup_refused(report)),
    }
    output.document(report);
    if report.run.is_some() { Exit::Done } else { Exit::Refused }
}

/// Works off the run of an answer, where there is one, and tells.
pub(super) async fn report(
    db: &Database,
    gateway: Option<Gateway>,
    mut report: Report,
    output: Output,
) -> Result<Exit, Error> {
    if let Some(run) = report.run.take() {
        let run = off(db, gateway, run).await?;
        report.skipped = skipped(db, &run).await?;
        output.text(render::cleanup_run(&run, &report.skipped));
        report.run = Some(run);
    } else {
        output.text(render::cleanup_refused(&report));
    }
    output.document(&report);
    Ok(report.exit())
}

/// Works off a run that was there before, and tells.
pub(super) async fn resume(
    db: &Database,
    gateway: Option<Gateway>,
    run: CleanupRun,
    output: Output,
) -> Result<Exit, Error> {
    let run = off(db, gateway, run).await?;
    let skipped = skipped(db, &run).await?;
    output.text(render::cleanup_run(&run, &skipped));
    output.document(&Whole { run: &run, skipped: &skipped });
    Ok(exit(&run))
}

/// A run as a document.
#[derive(Serialize)]
pub(super) struct Whole<'a> {
    pub run: &'a CleanupRun,
    pub skipped: &'a [Skipped],
}

/// How often a run that another worker has is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Goes through a run until it has finished, or follows whoever does; until somebody says stop: then it ends with the batch
/// that is under way.
async fn off(db: &Database, gateway: Option<Gateway>, run: CleanupRun) -> Result<CleanupRun, Error> {
    let told = Cell::new(false);
    let mut said = false;
    let bar = bar(&run);
    let stopped = shutdown_signal::stopped()?;
    let mut stop = pin!(async {
        stopped.await;
        told.set(true);
        bar.set_message("stopping after this batch");
    });
    loop {
        if let Some(worker) = Worker::take(db.clone(), gateway.clone(), run.id, Pace::default()).await? {
            let worked = Box::pin(worker.work_off(&mut stop, |now| show(&bar, now))).await;
            said = false;
            worked.inspect_err(|_| {
                note(format_args!("The run {} stays as it is. {}", run.id, render::how_to_go_on(run.id)));
            })?;
        }
        loop {
            let (now, moment) = (find(db, run.id).await?, db.settings().clock.now());
            show(&bar, &now);
            if now.status.has_finished() || told.get() {
                bar.finish_and_clear();
                return Ok(now);
            }
            bar.set_message("waiting for another worker");
            if let Some(until) = now.free_from(moment).filter(|_| !said) {
                said = true;
                bar.suspend(|| note(render::cleanup_waits(&now, until)));
            }
            let _ = tokio::time::timeout(LOOK, &mut stop).await;
            if now.is_free(moment) && !told.get() {
                break;
            }
        }
    }
}

/// A run as it is now.
pub(super) async fn find(db: &Database, id: Uuid) -> Result<CleanupRun, Error> {
    let unknown = || Error::BadInput(format!("No cleanup run has the id {id}. `session-admin runs` lists them."));
    cleanup::find(db, id).await?.ok_or_else(unknown)
}

/// How far a run is; seen on a terminal only.
fn bar(run: &CleanupRun) -> ProgressBar {
    let total = u64::try_from(run.sessions_total).unwrap_or_default();
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} sessions, {elapsed} {msg}") {
        bar.set_style(style);
    }
    // The clock goes on while a batch takes long.
    bar.enable_steady_tick(Duration::from_millis(500));
    show(&bar, run);
    bar
}

/// Moves the bar to where the run is, without waiting for the clock.
fn show(bar: &ProgressBar, run: &CleanupRun) {
    bar.set_position(u64::try_from(run.sessions_total - run.sessions_to_go()).unwrap_or_default());
    bar.force_draw();
}

/// The sessions that a run has left so far, with their names.
pub(super) async fn skipped(db: &Database, run: &CleanupRun) -> Result<Vec<Skipped>, Error> {
    if run.sessions_skipped == 0 {
        return Ok(Vec::new());
    }
    let all = Slice::first(u32::try_from(run.sessions_skipped).unwrap_or(u32::MAX));
    let page = cleanup::skipped(db, run.id, &all).await?;
    named(db, page.rows.into_iter().map(|(_, skipped)| skipped).collect()).await
}

/// Sessions that are left, with their names.
pub(super) async fn named(db: &Database, skipped: Vec<SkippedSession>) -> Result<Vec<Skipped>, Error> {
    let ids: Vec<Uuid> = skipped.iter().map(|skipped| skipped.session_id).collect();
    let sessions = queries::find(db, &ids).await?;
    let mut names: HashMap<Uuid, String> = sessions.into_iter().map(|session| (session.id, session.name)).collect();
    let skipped = skipped.into_iter().map(|skipped| Skipped {
        session_id: skipped.session_id,
        name: names.remove(&skipped.session_id),
        code: skipped.code,
        message: skipped.message,
    });
    Ok(skipped.collect())
}
