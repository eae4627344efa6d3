//! Tests of the API with real client tools: schema linters, a generator of typed clients, a compiler, a protocol audit
//! and a socket client.
//!
//! The tools are the npm project in this folder, which `make test` installs.

mod breaking_changes;
mod fuzz;
mod guide;
mod protocol;
mod schema;
mod scripting;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::skip;

/// The oldest version of Node.js on which all tools run.
const NODE: (u32, u32) = (20, 19);

/// Returns the folder of the npm project.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients").canonicalize().unwrap()
}

/// Returns a command that runs a package's program, such as `eslint/bin/eslint.js`, with Node.js. Skips the test and
/// returns `None` if either is missing.
fn tool(program: &str, arguments: &[&str]) -> Option<Command> {
    let program = folder().join("node_modules").join(program);
    if !has_node() {
        return None;
    }
    if !program.is_file() {
        skip("tests/clients/node_modules is missing; `make clients` installs it");
        return None;
    }
    let mut command = Command::new("node");
    command.arg(program).args(arguments);
    Some(command)
}

/// Returns whether a recent enough Node.js is installed. Skips the test otherwise.
pub(crate) fn has_node() -> bool {
    let found = node_is_new_enough();
    if !found {
        skip(&format!("Node.js {}.{} or newer is not on PATH", NODE.0, NODE.1));
    }
    found
}

/// Returns a command that runs a script of this folder with Node.js. Skips the test and returns `None` if the tools are
/// missing.
fn tool_here(script: &str, arguments: &[&str]) -> Option<Command> {
    tool("graphql-ws/package.json", &[])?;
    let mut command = Command::new("node");
    command.arg(folder().join(script)).args(arguments);
    Some(command)
}

fn node_is_new_enough() -> bool {
    let Ok(output) = Command::new("node").arg("--version").output() else { return false };
    let version = String::from_utf8(output.stdout).unwrap();
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= NODE
}

/// Returns the standard output and the standard error of a program as one text.
pub(crate) fn output_text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
