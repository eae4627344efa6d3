//! Snapshot tests of the strings that scripts, dashboards and stored rows depend on: documents of `--json`, exit codes,
//! stored JSON, impact tokens, metrics, codes and flags.
//!
//! Both databases share a snapshot unless its name ends in `sqlite` or `postgres`. After an intended change, this
//! command rewrites the snapshots, and their diff shows what changes for users:
//!
//! ```text
//! INSTA_UPDATE=always cargo test -p api --test it public_strings
//! ```

mod cleanup_documents;
mod codes;
mod command_line;
mod database_in_trouble;
mod deletion_documents;
mod gateway_documents;
mod impact_token;
mod internal_tables;
mod json_layout;
mod metrics;
mod redaction;
mod restore_documents;
mod run_documents;
mod small_session;
mod stored_rows;
mod token_documents;
mod usage_errors;

use std::fmt::Write as _;

use api::db::Dialect;
use serde_json::Value;

use crate::cli::{Ended, run};
use crate::support::TestDb;
use crate::support::connection::RawConnection;
use redaction::Redaction;

/// The scenario's first stale session.
const STALE: &str = "303d5044-0000-4000-8000-000000000001";
/// The scenario's second stale session.
const OTHER_STALE: &str = "07e810ce-0000-4000-8000-000000000002";
/// The scenario's first connected session, whose groups have pending messages.
const CONNECTED: &str = "c0ffee00-0000-4000-8000-000000000010";
/// An id that no object has.
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// Compares a text with the snapshot of this name.
fn assert_snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Returns the name of a dialect's own snapshot.
fn of_database(db: &TestDb, name: &str) -> String {
    match db.dialect() {
        Dialect::Postgres => format!("{name}_postgres"),
        Dialect::Sqlite => format!("{name}_sqlite"),
    }
}

/// The commands of a test with their exit codes and documents.
struct Transcript<'a> {
    db: &'a TestDb,
    redaction: Redaction,
    text: String,
}

impl<'a> Transcript<'a> {
    fn new(db: &'a TestDb) -> Self {
        Self { db, redaction: Redaction::default(), text: String::new() }
    }

    /// Appends a comment about what happened between the commands.
    fn comment(&mut self, comment: &str) {
        self.text += &format!("\n# {comment}\n");
    }

    /// Replaces `value`, which differs between executions, in everything recorded afterwards.
    fn hide(&mut self, value: &str, placeholder: &str) {
        self.redaction.hide(value, placeholder);
    }

    /// Runs a command with `--json` and returns its document.
    fn run(&mut self, arguments: &[&str]) -> Value {
        let ended = run(self.db, &[arguments, &["--json"]].concat());
        self.record(arguments, &ended)
    }

    /// Appends a finished command to the transcript, and returns its document.
    fn record(&mut self, arguments: &[&str], ended: &Ended) -> Value {
        let Ended { code, stdout, stderr } = ended;
        let document: Value =
            serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {stdout}{stderr}"));
        let quoted = |word: &&str| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() };
        let command = ["session-admin"].iter().chain(arguments).chain(&["--json"]).map(quoted);
        let command = self.redaction.apply(&command.collect::<Vec<_>>().join(" "));
        let document_text = json_layout::fold(&self.redaction.apply(stdout));
        let _ = write!(self.text, "\n$ {command}\nexit code {code}\n{document_text}");
        document
    }

    /// Compares the transcript with the snapshot that both databases share.
    fn assert_matches(&self, name: &str) {
        assert_snapshot(name, &self.text);
    }

    /// Compares the transcript with the snapshot of this dialect.
    fn assert_matches_per_database(&self, name: &str) {
        assert_snapshot(&of_database(self.db, name), &self.text);
    }
}

/// Locks a table against changes until the returned connection is closed. On SQLite, the whole database is locked.
async fn lock(db: &TestDb, table: &str) -> RawConnection {
    let mut connection = db.raw().await;
    connection
        .exec(&match db.dialect() {
            Dialect::Postgres => format!("BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE"),
            Dialect::Sqlite => "BEGIN IMMEDIATE".to_owned(),
        })
        .await;
    connection
}

/// Returns the id at a path of a document, such as `deletion.id`.
fn id_at(document: &Value, path: &str) -> String {
    let found = path.split('.').fold(document, |value, field| &value[field]);
    found.as_str().unwrap_or_else(|| panic!("{path}: {document}")).to_owned()
}
