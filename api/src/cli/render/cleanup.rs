//! The texts about cleanups: previews, results and lists of runs.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::deletion::refusal_text;
use super::{format_timestamp, impact, new_table, pluralize, to_i64, use_flag_names};
use crate::cleanup::{CleanupRun, Preview, RunKind, RunOutcome, RunStatus};
use crate::cli::cleanup_report::{CleanupReport, SkippedRow};
use crate::impact::Impact;
use crate::refusal::{Refusal, RefusalCode};
use crate::session::Session;

/// Returns the text of a preview: the sessions to delete, or the first of them, and the impact.
pub(in crate::cli) fn cleanup_preview(preview: &Preview) -> String {
    match (preview.session_count, preview.skipped.len()) {
        (0, 0) => NOTHING.to_owned(),
        (0, skipped) => gateway_skips(skipped),
        (_, 0) => deletion_preview(&preview.sample, &preview.impact),
        (_, skipped) => {
            format!("{}\n{}", deletion_preview(&preview.sample, &preview.impact), gateway_skips(skipped))
        }
    }
}

const NOTHING: &str = "No session meets the criteria: there is nothing to clean up.";

/// Returns the line on the number of sessions that are skipped because of the gateway's state, or because it is
/// unknown.
fn gateway_skips(sessions: usize) -> String {
    let one = "session meets the other criteria but is skipped";
    let many = "sessions meet the other criteria but are skipped";
    format!("! {}, because of the gateway's response, or because it gave none.", pluralize(to_i64(sessions), one, many))
}

/// Returns a table of the first sessions to delete, followed by the impact of deleting all of them.
fn deletion_preview(sample: &[Session], effect: &Impact) -> String {
    let mut sessions = new_table(&["Session", "Id", "Status", "Last updated"], &[]);
    for session in sample {
        sessions.add_row([
            session.name.clone(),
            session.id.to_string(),
            session.raw_status.clone(),
            session.updated_at.map(format_timestamp).unwrap_or_default(),
        ]);
    }
    let more = effect.session_count - to_i64(sample.len());
    let more = if more > 0 { format!("… and {more} more.\n") } else { String::new() };
    format!("{sessions}\n{more}\n{}", impact(effect))
}

/// Returns the text of a dry run: the sessions to delete, the sessions to skip with the reasons, and the refusals of
/// the run. If no session would be deleted, the text shows the sessions that meet the criteria.
pub(in crate::cli) fn cleanup_dry_run(report: &CleanupReport) -> String {
    if report.session_count == 0 && report.skipped.is_empty() && report.refusals.is_empty() {
        return format!("{NOTHING}\nNothing was deleted.");
    }
    let effect = report.would_go.as_ref().filter(|effect| effect.session_count > 0);
    let mut text = match effect {
        None if report.session_count == 0 => String::new(),
        None => format!("{}\n", deletion_preview(&report.sample, &report.impact)),
        Some(effect) => {
            let is_skipped = |session: &&Session| report.skipped.iter().any(|skipped| skipped.session_id == session.id);
            let sample: Vec<Session> = report.sample.iter().filter(|session| !is_skipped(session)).cloned().collect();
            format!("{}\n", deletion_preview(&sample, effect))
        }
    };
    text.push_str(&skipped_preview(&report.skipped));
    let _ = match effect {
        _ if !report.refusals.is_empty() => Ok(()),
        Some(_) if report.skipped.is_empty() => writeln!(text, "✓ Dry run: nothing prevents the run."),
        Some(effect) => writeln!(
            text,
            "! Dry run: {} would be deleted ({} in all tables), and {} would be skipped.",
            pluralize(effect.session_count, "session", "sessions"),
            pluralize(effect.rows_deleted, "row", "rows"),
            report.skipped.len()
        ),
        None => {
            writeln!(text, "! Dry run: no session would be deleted, and {} would be skipped.", report.skipped.len())
        }
    };
    // The impact printed above lists the blockers.
    let others: Vec<Refusal> =
        report.refusals.iter().filter(|refusal| refusal.code != RefusalCode::BlockedByForeignKey).cloned().collect();
    let refused = refusal_text(&others, &report.changes);
    format!("{text}{refused}Nothing was deleted. Token: {}", report.impact.token)
}

/// Returns a table of the first sessions that would be skipped.
fn skipped_preview(skipped: &[SkippedRow]) -> String {
    let listed = &skipped[..skipped.len().min(MAX_LISTED)];
    let more = skipped.len() - listed.len();
    let more = if more > 0 { format!("… and {more} more; --json lists them all.\n") } else { String::new() };
    format!("{}{more}", skipped_sessions(listed))
}

/// Returns the reasons why no run was created.
pub(in crate::cli) fn cleanup_refusal(report: &CleanupReport) -> String {
    format!("{}Nothing was deleted.", refusal_text(&report.refusals, &report.changes))
}

/// Returns the text about a run that was queued for a server.
pub(in crate::cli) fn queued_run(run: &CleanupRun) -> String {
    format!(
        "Run {} is {}: {}. A running server executes it; `session-admin runs show {}` shows its progress.",
        run.id,
        status_label(run.status),
        pluralize(run.sessions_total, "session", "sessions"),
        run.id
    )
}

/// Returns the text about a run, or the reasons why the request for it was refused.
pub(in crate::cli) fn run_outcome(outcome: &RunOutcome) -> String {
    match &outcome.run {
        Some(run) => cleanup_run(run, &[]),
        None => format!("{}Nothing was changed.", refusal_text(&outcome.refusals, &[])),
    }
}

/// Returns a table of the sessions that a run skipped, with the reasons. It is empty if there are none.
pub(in crate::cli) fn skipped_sessions(skipped: &[SkippedRow]) -> String {
    if skipped.is_empty() {
        return String::new();
    }
    let mut table = new_table(&["Skipped session", "Id", "Reason"], &[]);
    for session in skipped {
        let name = session.name.clone().unwrap_or_default();
        table.add_row([name, session.session_id.to_string(), use_flag_names(&session.message)]);
    }
    format!("{table}\n")
}

/// The maximum number of skipped sessions in a text that is not the list of them.
const MAX_LISTED: usize = 20;

/// Returns the result of a run, with the skipped sessions if they are few.
pub(in crate::cli) fn cleanup_run(run: &CleanupRun, skipped: &[SkippedRow]) -> String {
    let mut text = if skipped.len() > MAX_LISTED {
        format!("{} sessions were skipped; `session-admin runs show {}` lists them.\n", skipped.len(), run.id)
    } else {
        skipped_sessions(skipped)
    };
    let totals = match run.kind {
        RunKind::Delete => deletion_totals(run),
        RunKind::Restore => format!(
            "{} of {} restored, {} skipped; {} in all tables. Recorded as run {} by {}.",
            run.sessions_restored,
            pluralize(run.sessions_total, "session", "sessions"),
            run.sessions_skipped,
            pluralize(run.rows_restored, "row", "rows"),
            run.id,
            run.started_by
        ),
    };
    let _ = match (run.status, &run.error) {
        (RunStatus::Succeeded, _) => write!(text, "{} {totals}", if run.sessions_skipped == 0 { "✓" } else { "!" }),
        (RunStatus::Cancelled, _) => {
            write!(text, "! Cancelled by {}.\n{totals}", run.cancelled_by.as_deref().unwrap_or("an unknown principal"))
        }
        (RunStatus::Failed, error) => {
            write!(text, "✗ {}\n{totals}", use_flag_names(error.as_deref().unwrap_or("The run failed.")))
        }
        _ => {
            write!(
                text,
                "! The run has not finished: {} pending. {}\n{totals}",
                pending_sessions(run),
                next_steps(run.id)
            )
        }
    };
    text
}

/// Returns the totals of a run that deletes sessions.
fn deletion_totals(run: &CleanupRun) -> String {
    format!(
        "{} of {} deleted, {} skipped: {} deleted, {} unlinked. Recorded as run {} by {}.",
        run.sessions_deleted,
        pluralize(run.sessions_total, "session", "sessions"),
        run.sessions_skipped,
        pluralize(run.rows_deleted, "row", "rows"),
        run.rows_unlinked,
        run.id,
        run.started_by
    )
}

/// Returns the number of pending sessions with its noun and verb, such as `2 sessions are`.
fn pending_sessions(run: &CleanupRun) -> String {
    pluralize(run.sessions_to_go(), "session is", "sessions are")
}

/// Returns the commands that resume or cancel an unfinished run.
pub(in crate::cli) fn next_steps(run: Uuid) -> String {
    format!(
        "`session-admin runs resume {run}` resumes or follows it, and a running server resumes it, too; \
         `session-admin runs cancel {run}` cancels it."
    )
}

/// Returns the reason why a run cannot be resumed before the given time: until its lease ends, the worker that holds it
/// may still be alive.
pub(in crate::cli) fn lease_wait(run: &CleanupRun, until: DateTime<Utc>) -> String {
    let until = format_timestamp(until);
    if run.is_leased() {
        format!(
            "Another worker had the run a moment ago. This command follows it, or takes over at {until} if that worker \
             has stopped."
        )
    } else {
        format!("The run failed a moment ago and is tried again at {until}.")
    }
}

/// Returns the time, the principal and the reason of the request for a run.
pub(in crate::cli) fn run_request(run: &CleanupRun) -> String {
    let reason = run.terms.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("Requested at {} by {}{reason}", format_timestamp(run.created_at), run.started_by)
}

/// Returns the confirmation question before a run is resumed.
pub(in crate::cli) fn resume_question(run: &CleanupRun) -> String {
    let verb = match run.kind {
        RunKind::Delete => "Delete",
        RunKind::Restore => "Restore",
    };
    format!("{} pending. {verb} them?", pending_sessions(run))
}

/// Returns a table of cleanup runs.
pub(in crate::cli) fn cleanup_runs(runs: &[CleanupRun], has_more: bool) -> String {
    if runs.is_empty() {
        return "There are no cleanup runs.".to_owned();
    }
    let header = ["Requested at", "Run", "Kind", "Status", "Sessions", "Done", "Skipped", "Rows", "By", "Reason"];
    let mut table = new_table(&header, &[4, 5, 6, 7]);
    for run in runs {
        table.add_row([
            format_timestamp(run.created_at),
            run.id.to_string(),
            kind_label(run.kind).to_owned(),
            status_label(run.status).to_owned(),
            run.sessions_total.to_string(),
            (run.sessions_deleted + run.sessions_restored).to_string(),
            run.sessions_skipped.to_string(),
            (run.rows_deleted + run.rows_restored).to_string(),
            run.started_by.clone(),
            run.terms.reason.clone().unwrap_or_default(),
        ]);
    }
    let older = if has_more { "\nThere are older runs: use --limit." } else { "" };
    format!("{table}{older}")
}

const fn kind_label(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Delete => "delete",
        RunKind::Restore => "restore",
    }
}

const fn status_label(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "queued",
        RunStatus::Running => "running",
        RunStatus::Succeeded => "succeeded",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    }
}
