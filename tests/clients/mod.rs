//! What clients of the API work with, the real tools: linters of the schema, a generator of typed clients, a compiler, an
//! audit of the protocol, a client of the sockets.
//! They are the npm project in this folder; `make test` installs it.

mod breaking_changes;
mod fuzz;
mod guide;
mod protocol;
mod schema;
mod scripting;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::skip;

/// The oldest Node.js on which all of the tools run.
const NODE: (u32, u32) = (20, 19);

/// The folder of the npm project.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients").canonicalize().unwrap()
}

/// Node.js with the program of a package, such as `eslint/bin/eslint.js`, and its arguments; none where it is missing,
/// which is said then.
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

/// Whether there is a Node.js that will do; it is said where there is none.
pub(crate) fn has_node() -> bool {
    let found = node_is_new_enough();
    if !found {
        skip(&format!("Node.js {}.{} or newer is not on PATH", NODE.0, NODE.1));
    }
    found
}

/// The same for a script in this folder.
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

/// Both streams of a program that has ended.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
