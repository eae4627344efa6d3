//! The command `session-admin completions`, which prints a shell's completion script.

use clap_complete::Shell;
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::output::Output;

/// The arguments of `completions`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the completion script. It needs no database.
pub(in crate::cli) fn run(args: &Args, mut command: clap::Command, output: Output) -> Exit {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, &name, &mut script);
    // In the Bash script, clap_complete 4.6 spells a hyphenated program name in two ways, so that no flag of any
    // command is completed (clap issue 6421).
    let script = String::from_utf8_lossy(&script).replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__"));
    output.print_document(&json!({ "script": script }));
    output.print_text(script.trim_end());
    Exit::Done
}
