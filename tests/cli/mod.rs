//! Tests of the command line with the real executable: exit codes, JSON documents and tables.

mod ci_gate;
mod cleanup;
mod configuration;
mod delete;
mod deletions;
mod grants;
mod manual;
mod migrate;
mod preview;
mod readme;
mod runs;
mod schedule;
mod serve;
pub(crate) mod server;
mod terminal;
mod token;

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::TestDb;

/// The exit code and the output of a command.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Returns a command of the executable, without the configuration in this process's environment.
pub(crate) fn executable(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_session-admin"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name == "DATABASE_URL" || name.starts_with("SESSION_ADMIN_") {
            command.env_remove(&*name);
        }
    }
    command.env("USER", "tester").args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command to its end and returns its exit code and output.
pub(crate) fn ended(mut command: Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs a command on a database, with tables as output.
pub(crate) fn run(db: &TestDb, arguments: &[&str]) -> Ended {
    let mut command = executable(arguments);
    command.env("DATABASE_URL", db.url());
    ended(command)
}

/// Runs a command in a folder, without a database URL.
fn run_in(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = executable(arguments);
    command.current_dir(folder);
    ended(command)
}

/// Runs a command on a database with `--json`. Returns the exit code and the JSON document.
pub(crate) fn document(db: &TestDb, arguments: &[&str]) -> (i32, Value) {
    let ended = run(db, &[arguments, &["--json"]].concat());
    let document = serde_json::from_str(&ended.stdout);
    (ended.code, document.unwrap_or_else(|error| panic!("{error}: {:?}\n{}", ended.stdout, ended.stderr)))
}

/// Migrates a database without purging its stale sessions, which have a phone number during the migration.
pub(crate) async fn migrate_without_purge(db: &TestDb) {
    db.exec("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE phone_number IS NULL").await;
    let (code, report) = document(db, &["migrate", "--yes"]);
    assert_eq!((code, &report["purge"]), (0, &Value::Null), "{report}");
    db.exec("UPDATE whatsapp_sessions SET phone_number = NULL WHERE phone_number = '+1'").await;
}
