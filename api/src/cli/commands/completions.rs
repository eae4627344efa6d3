//! `session-admin completions`: what a shell needs to complete commands and flags.

use clap_complete::Shell;
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::output::Output;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints it; no database is needed.
pub(in crate::cli) fn run(args: &Args, mut command: clap::Command, output: Output) -> Exit {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, &name, &mut script);
    // clap_complete 4.6 spells a name with a hyphen in two ways in the script for Bash, and then completes no flag of any
    // command (clap's issue 6421).
    let script = String::from_utf8_lossy(&script).replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
    output.document(&json!({ "script": script }));
    output.text(script.trim_end());
    Exit::Done
}
