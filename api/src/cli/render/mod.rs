//! Tables and sentences for people.

mod cleanup;
mod deletion;
mod health;
mod impact;
mod migration;
mod restore;
mod token;

use chrono::{DateTime, Utc};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

pub(super) use cleanup::{
    cleanup_cancelled, cleanup_detached, cleanup_dry_run, cleanup_preview, cleanup_question, cleanup_refused,
    cleanup_run, cleanup_runs, cleanup_skipped, lease_wait, next_steps, run_request,
};
pub(super) use deletion::{ERASURE_QUESTION, deletion, deletions, erasure, outcome};
pub(super) use health::health;
pub(super) use impact::impact;
pub(super) use migration::{migrations, pending, spared};
pub(super) use restore::restore;
pub(super) use token::{token_made, tokens};

/// The narrowest terminal, in characters, into which a table is fitted.
const NARROWEST: u16 = 60;

fn table(header: &[&str], numbers: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    // Fitted to the terminal, unless it has no room (some report a width of 0): then the terminal wraps the lines.
    if table.width().is_some_and(|width| width >= NARROWEST) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(header.iter().map(Cell::new));
    for column in numbers {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A message of the domain, which names arguments as GraphQL has them, in the command line's words.
pub(super) fn use_flag_names(message: &str) -> String {
    let names = [
        ("allowConnected", "--allow-connected"),
        ("allowPendingMessages", "--allow-pending-messages"),
        ("atMost", "--at-most"),
        ("idempotencyKey", "--idempotency-key"),
        ("missingFromGateway", "--missing-from-gateway"),
    ];
    names.into_iter().fold(message.to_owned(), |message, (name, flag)| message.replace(name, flag))
}

/// An empty cell reads better than a column of noughts.
fn blank_if_zero(number: i64) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

fn count(number: i64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn length(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A moment, to the second.
fn timestamp(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
