//! Cleanups: what one would do, what one did, those there were.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::deletion::refused;
use super::{count, impact, length, table, timestamp, use_flag_names};
use crate::cleanup::{CleanupRun, Preview, RunKind, RunOutcome, RunStatus};
use crate::cli::cleanup_report::{CleanupReport, SkippedRow};
use crate::impact::Impact;
use crate::refusal::{Refusal, RefusalCode};
use crate::session::Session;

/// The sessions that would go, or the first of them, and what that does.
pub(in crate::cli) fn cleanup_preview(preview: &Preview) -> String {
    match (preview.session_count, preview.skipped.len()) {
        (0, 0) => NOTHING.to_owned(),
        (0, left) => gateway_skips(left),
        (_, 0) => deletion_preview(&preview.sample, &preview.impact),
        (_, left) => format!("{}\n{}", deletion_preview(&preview.sample, &preview.impact), gateway_skips(left)),
    }
}

const NOTHING: &str = "No session meets the criteria: there is nothing to clean up.";

/// What the gateway says keeps so many.
fn gateway_skips(sessions: usize) -> String {
    let sessions = count(length(sessions), "session meets", "sessions meet");
    format!("! {sessions} the other criteria, and may not go for what the gateway says, or does not.")
}

/// Sessions that would go, of which these are the first, and what that does.
fn deletion_preview(sample: &[Session], effect: &Impact) -> String {
    let mut sessions = table(&["Session", "Id", "Status", "Last updated"], &[]);
    for session in sample {
        sessions.add_row([
            session.name.clone(),
            session.id.to_string(),
            session.raw_status.clone(),
            session.updated_at.map(timestamp).unwrap_or_default(),
        ]);
    }
    let more = effect.session_count - length(sample.len());
    let more = if more > 0 { format!("… and {more} more.\n") } else { String::new() };
    format!("{sessions}\n{more}\n{}", impact(effect))
}

/// What a dry run found: what would go, what would stay and why, and what refuses all of it. Where none would go, it is told
/// what that is that stays.
pub(in crate::cli) fn cleanup_dry_run(report: &CleanupReport) -> String {
    if report.session_count == 0 && report.skipped.is_empty() && report.refusals.is_empty() {
        return format!("{NOTHING}\nNothing was deleted.");
    }
    let effect = report.would_go.as_ref().filter(|effect| effect.session_count > 0);
    let mut text = match effect {
        None if report.session_count == 0 => String::new(),
        None => format!("{}\n", deletion_preview(&report.sample, &report.impact)),
        Some(effect) => {
            let stays = |session: &&Session| report.skipped.iter().any(|skipped| skipped.session_id == session.id);
            let sample: Vec<Session> = report.sample.iter().filter(|session| !stays(session)).cloned().collect();
            format!("{}\n", deletion_preview(&sample, effect))
        }
    };
    text.push_str(&skipped_preview(&report.skipped));
    let _ = match effect {
        _ if !report.refusals.is_empty() => Ok(()),
        Some(_) if report.skipped.is_empty() => writeln!(text, "✓ Dry run: nothing refuses it."),
        Some(effect) => writeln!(
            text,
            "! Dry run: {} would go, {} deleted with {}, and {} would be skipped.",
            count(effect.session_count, "session", "sessions"),
            count(effect.rows_deleted, "row", "rows"),
            if effect.session_count == 1 { "it" } else { "them" },
            report.skipped.len()
        ),
        None => writeln!(text, "! Dry run: no session would go, and {} would be skipped.", report.skipped.len()),
    };
    // The blockers stand right above.
    let others: Vec<Refusal> =
        report.refusals.iter().filter(|refusal| refusal.code != RefusalCode::BlockedByForeignKey).cloned().collect();
    let refused = refused(&others, &report.changes);
    format!("{text}{refused}Nothing was deleted. Token: {}", report.impact.token)
}

/// The first of the sessions that would stay.
fn skipped_preview(skipped: &[SkippedRow]) -> String {
    let shown = &skipped[..skipped.len().min(LISTED)];
    let more = skipped.len() - shown.len();
    let more = if more > 0 { format!("… and {more} more; --json lists them all.\n") } else { String::new() };
    format!("{}{more}", cleanup_skipped(shown))
}

/// Why there is no run.
pub(in crate::cli) fn cleanup_refused(report: &CleanupReport) -> String {
    format!("{}Nothing was deleted.", refused(&report.refusals, &report.changes))
}

/// A run that is left to a server.
pub(in crate::cli) fn cleanup_detached(run: &CleanupRun) -> String {
    format!(
        "Run {} is {}: {}. A running server works it off by itself, and `session-admin runs show {}` tells how far it is.",
        run.id,
        status(run.status),
        count(run.sessions_total, "session", "sessions"),
        run.id
    )
}

/// A run that was stopped, or why it was not.
pub(in crate::cli) fn cleanup_cancelled(cancelled: &RunOutcome) -> String {
    match &cancelled.run {
        Some(run) => cleanup_run(run, &[]),
        None => format!("{}Nothing was changed.", refused(&cancelled.refusals, &[])),
    }
}

/// The sessions that a run left, each in a line.
pub(in crate::cli) fn cleanup_skipped(skipped: &[SkippedRow]) -> String {
    if skipped.is_empty() {
        return String::new();
    }
    let mut table = table(&["Skipped session", "Id", "Why"], &[]);
    for session in skipped {
        let name = session.name.clone().unwrap_or_default();
        table.add_row([name, session.session_id.to_string(), use_flag_names(&session.message)]);
    }
    format!("{table}\n")
}

/// The most skipped sessions that are listed by whoever did not ask for the list.
const LISTED: usize = 20;

/// What has come of a run, with the sessions that it left if these are few.
pub(in crate::cli) fn cleanup_run(run: &CleanupRun, skipped: &[SkippedRow]) -> String {
    let mut text = if skipped.len() > LISTED {
        format!("{} sessions were skipped; `session-admin runs show {}` lists them.\n", skipped.len(), run.id)
    } else {
        cleanup_skipped(skipped)
    };
    let done = match run.kind {
        RunKind::Delete => deleted(run),
        RunKind::Restore => format!(
            "{} of {} restored, {} skipped: {} put back. Recorded as run {} by {}.",
            run.sessions_restored,
            count(run.sessions_total, "session", "sessions"),
            run.sessions_skipped,
            count(run.rows_restored, "row", "rows"),
            run.id,
            run.started_by
        ),
    };
    let _ = match (run.status, &run.error) {
        (RunStatus::Succeeded, _) => write!(text, "{} {done}", if run.sessions_skipped == 0 { "✓" } else { "!" }),
        (RunStatus::Cancelled, _) => {
            write!(text, "! Cancelled by {}.\n{done}", run.cancelled_by.as_deref().unwrap_or("somebody"))
        }
        (RunStatus::Failed, error) => {
            write!(text, "✗ {}\n{done}", use_flag_names(error.as_deref().unwrap_or("The run failed.")))
        }
        _ => {
            write!(
                text,
                "! The run has not finished: {} still to go. {}\n{done}",
                pending_sessions(run),
                next_steps(run.id)
            )
        }
    };
    text
}

fn deleted(run: &CleanupRun) -> String {
    format!(
        "{} of {} deleted, {} skipped: {} deleted, {} unlinked. Recorded as run {} by {}.",
        run.sessions_deleted,
        count(run.sessions_total, "session", "sessions"),
        run.sessions_skipped,
        count(run.rows_deleted, "row", "rows"),
        run.rows_unlinked,
        run.id,
        run.started_by
    )
}

/// The sessions whose turn has not come, in words.
fn pending_sessions(run: &CleanupRun) -> String {
    count(run.sessions_to_go(), "session is", "sessions are")
}

/// How an unfinished run comes to its end.
pub(in crate::cli) fn next_steps(run: Uuid) -> String {
    format!(
        "`session-admin runs resume {run}` goes on with it, or follows it, and a running server goes on by itself; \
         `session-admin runs cancel {run}` stops it for good."
    )
}

/// Why a run cannot be gone on with before this moment. Whether the worker that had it last lives is not known until then.
pub(in crate::cli) fn lease_wait(run: &CleanupRun, until: DateTime<Utc>) -> String {
    let until = timestamp(until);
    if run.is_leased() {
        format!("Another worker had the run a moment ago: this one follows it, or goes on at {until} if it is gone.")
    } else {
        format!("The run met an error a moment ago: it is tried again at {until}.")
    }
}

/// Who asked for a run, when and why.
pub(in crate::cli) fn run_request(run: &CleanupRun) -> String {
    let reason = run.terms.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("Asked for at {} by {}{reason}", timestamp(run.created_at), run.started_by)
}

/// What is asked before a run is gone on with.
pub(in crate::cli) fn cleanup_question(run: &CleanupRun) -> String {
    let what = match run.kind {
        RunKind::Delete => "Delete",
        RunKind::Restore => "Restore",
    };
    format!("{} still to go. {what} them?", pending_sessions(run))
}

/// A part of the runs.
pub(in crate::cli) fn cleanup_runs(runs: &[CleanupRun], has_more: bool) -> String {
    if runs.is_empty() {
        return "There has been no cleanup run.".to_owned();
    }
    let header = ["Asked for at", "Run", "Kind", "Status", "Sessions", "Done", "Skipped", "Rows", "By", "Reason"];
    let mut table = table(&header, &[4, 5, 6, 7]);
    for run in runs {
        table.add_row([
            timestamp(run.created_at),
            run.id.to_string(),
            kind(run.kind).to_owned(),
            status(run.status).to_owned(),
            run.sessions_total.to_string(),
            (run.sessions_deleted + run.sessions_restored).to_string(),
            run.sessions_skipped.to_string(),
            (run.rows_deleted + run.rows_restored).to_string(),
            run.started_by.clone(),
            run.terms.reason.clone().unwrap_or_default(),
        ]);
    }
    let older = if has_more { "\nThere are older ones: --limit shows more." } else { "" };
    format!("{table}{older}")
}

const fn kind(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Delete => "delete",
        RunKind::Restore => "restore",
    }
}

const fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "queued",
        RunStatus::Running => "running",
        RunStatus::Succeeded => "succeeded",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    }
}
