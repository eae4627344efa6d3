//! The tables and texts that the commands print for people.

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
    cleanup_dry_run, cleanup_preview, cleanup_refusal, cleanup_run, cleanup_runs, lease_wait, next_steps, queued_run,
    resume_question, run_outcome, run_request, skipped_sessions,
};
pub(super) use deletion::{ERASURE_QUESTION, deletion, deletion_list, deletion_outcome, erasure_outcome};
pub(super) use health::health;
pub(super) use impact::impact;
pub(super) use migration::{migration_status, pending_migrations, spared_sessions};
pub(super) use restore::restore_outcome;
pub(super) use token::{created_token, token_list};

/// The minimum width of a terminal, in characters, to which a table is fitted.
const MIN_TABLE_WIDTH: u16 = 60;

/// Returns an empty table. The columns with the given indexes contain numbers and are right-aligned.
fn new_table(header: &[&str], number_columns: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    // The table is fitted to the terminal, unless it is too narrow (some report a width of 0): then the terminal wraps.
    if table.width().is_some_and(|width| width >= MIN_TABLE_WIDTH) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(header.iter().map(Cell::new));
    for column in number_columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Returns a domain message with the GraphQL names of arguments replaced by the flags of the command line.
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

/// Returns the number as text, and an empty text for zero, so that the other numbers stand out in a column.
fn blank_if_zero(number: i64) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

/// Returns the number with the singular or the plural noun.
fn pluralize(number: i64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Converts a length to `i64`.
fn to_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Formats a time in UTC with a precision of seconds.
fn format_timestamp(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
