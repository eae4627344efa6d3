//! The execution of a cleanup run in the foreground, with its progress and its result.

use std::cell::Cell;
use std::collections::HashMap;
use std::pin::pin;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use uuid::Uuid;

use super::cleanup_report::{CleanupReport, RunReport, SkippedRow, run_exit};
use super::exit::Exit;
use super::output::{Output, eprint_note};
use super::{render, shutdown_signal};
use crate::cleanup::{self, BatchSize, CleanupRun, RunExecutor, SkippedSession};
use crate::db::Database;
use crate::db::pagination::PageRequest;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::session::queries;
use crate::worker::JobQueue;

/// Queues the created run for a server and prints the run, or prints the refusals if no run was created.
pub(super) async fn queue_run(db: &Database, report: &CleanupReport, output: Output) -> Exit {
    match &report.run {
        Some(run) => {
            if !run.status.has_finished() {
                JobQueue::new(db).push(run.id).await;
            }
            output.print_text(render::queued_run(run));
        }
        None => output.print_text(render::cleanup_refusal(report)),
    }
    output.print_document(report);
    if report.run.is_some() { Exit::Done } else { Exit::Refused }
}

/// Executes the created run and prints its result, or prints the refusals if no run was created.
pub(super) async fn execute_run(
    db: &Database,
    gateway: Option<Gateway>,
    mut report: CleanupReport,
    output: Output,
) -> Result<Exit, Error> {
    if let Some(run) = report.run.take() {
        let run = execute_or_follow(db, gateway, run).await?;
        report.skipped = load_skipped(db, &run).await?;
        output.print_text(render::cleanup_run(&run, &report.skipped));
        report.run = Some(run);
    } else {
        output.print_text(render::cleanup_refusal(&report));
    }
    output.print_document(&report);
    Ok(report.exit())
}

/// Continues or follows an existing run until it has finished, and prints its result.
pub(super) async fn resume_run(
    db: &Database,
    gateway: Option<Gateway>,
    run: CleanupRun,
    output: Output,
) -> Result<Exit, Error> {
    let run = execute_or_follow(db, gateway, run).await?;
    let skipped = load_skipped(db, &run).await?;
    output.print_text(render::cleanup_run(&run, &skipped));
    output.print_document(&RunReport { run: &run, skipped: &skipped });
    Ok(run_exit(&run))
}

/// The time between two queries for the progress of a run that another worker executes.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Executes a run until it has finished, or follows it while another worker has its lease. After a shutdown signal it
/// returns at the end of the current batch.
async fn execute_or_follow(db: &Database, gateway: Option<Gateway>, run: CleanupRun) -> Result<CleanupRun, Error> {
    let stop_requested = Cell::new(false);
    let mut wait_announced = false;
    let bar = progress_bar(&run);
    let shutdown_requested = shutdown_signal::listen_for_shutdown()?;
    let mut stop = pin!(async {
        shutdown_requested.await;
        stop_requested.set(true);
        bar.set_message("stopping after this batch");
    });
    loop {
        if let Some(executor) = RunExecutor::take(db.clone(), gateway.clone(), run.id, BatchSize::default()).await? {
            let result = Box::pin(executor.run_to_end(&mut stop, |run| show_progress(&bar, run))).await;
            wait_announced = false;
            result.inspect_err(|_| {
                eprint_note(format_args!("The run {} has not finished. {}", run.id, render::next_steps(run.id)));
            })?;
        }
        loop {
            let (run, now) = (find_run(db, run.id).await?, db.settings().clock.now());
            show_progress(&bar, &run);
            if run.status.has_finished() || stop_requested.get() {
                bar.finish_and_clear();
                return Ok(run);
            }
            bar.set_message("waiting for another worker");
            if let Some(until) = run.free_from(now).filter(|_| !wait_announced) {
                wait_announced = true;
                bar.suspend(|| eprint_note(render::lease_wait(&run, until)));
            }
            let _ = tokio::time::timeout(POLL_INTERVAL, &mut stop).await;
            if run.is_free(now) && !stop_requested.get() {
                break;
            }
        }
    }
}

/// Returns the current state of a run.
///
/// # Errors
/// [`Error::BadInput`] if no run has this id; errors of the database.
pub(super) async fn find_run(db: &Database, id: Uuid) -> Result<CleanupRun, Error> {
    let unknown = || Error::BadInput(format!("No cleanup run has the id {id}. `session-admin runs` lists them."));
    cleanup::find(db, id).await?.ok_or_else(unknown)
}

/// Returns a progress bar for a run. It is visible only if standard error is a terminal.
fn progress_bar(run: &CleanupRun) -> ProgressBar {
    let total = u64::try_from(run.sessions_total).unwrap_or_default();
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} sessions, {elapsed} {msg}") {
        bar.set_style(style);
    }
    // Updates the elapsed time during a long batch.
    bar.enable_steady_tick(Duration::from_millis(500));
    show_progress(&bar, run);
    bar
}

/// Sets the bar to the progress of the run, and redraws it immediately.
fn show_progress(bar: &ProgressBar, run: &CleanupRun) {
    bar.set_position(u64::try_from(run.sessions_total - run.sessions_to_go()).unwrap_or_default());
    bar.force_draw();
}

/// Returns the sessions that a run has skipped so far, with their names.
pub(super) async fn load_skipped(db: &Database, run: &CleanupRun) -> Result<Vec<SkippedRow>, Error> {
    if run.sessions_skipped == 0 {
        return Ok(Vec::new());
    }
    let all = PageRequest::first(u32::try_from(run.sessions_skipped).unwrap_or(u32::MAX));
    let page = cleanup::find_skipped(db, run.id, &all).await?;
    add_names(db, page.rows.into_iter().map(|(_, skipped)| skipped).collect()).await
}

/// Adds the sessions' names to skipped sessions, with one query.
pub(super) async fn add_names(db: &Database, skipped: Vec<SkippedSession>) -> Result<Vec<SkippedRow>, Error> {
    let ids: Vec<Uuid> = skipped.iter().map(|skipped| skipped.session_id).collect();
    let sessions = queries::find(db, &ids).await?;
    let mut names: HashMap<Uuid, String> = sessions.into_iter().map(|session| (session.id, session.name)).collect();
    let skipped = skipped.into_iter().map(|skipped| SkippedRow {
        session_id: skipped.session_id,
        name: names.remove(&skipped.session_id),
        code: skipped.code,
        message: skipped.message,
    });
    Ok(skipped.collect())
}
