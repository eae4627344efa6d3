//! The entry point of the command line, which parses the arguments, runs the command and reports errors.

use std::process::ExitCode;

use clap::Parser as _;

use super::command_line::{Command, CommandLine, definition};
use super::exit::Exit;
use super::log_output::log_to_stderr;
use super::output::Output;
use super::{commands, render};
use crate::error::Error;
use crate::graphql::error::error_chain;

/// Runs the command that the arguments name, and returns its exit code.
pub async fn main() -> ExitCode {
    let cli = match CommandLine::try_parse() {
        Ok(cli) => cli,
        Err(problem) => return report_usage_error(&problem),
    };
    let output = Output::new(cli.json);
    let exit = match run(cli, output).await {
        Ok(exit) => exit,
        Err(error) => {
            tracing::debug!(target: "session_admin::cli", error = error_chain(&error), "failed");
            let wrong_usage = matches!(error, Error::BadInput(_));
            let message = error.operator_message();
            output.print_error(error.code(), &if wrong_usage { render::use_flag_names(&message) } else { message });
            if wrong_usage { Exit::Usage } else { Exit::Failed }
        }
    };
    exit.into()
}

async fn run(cli: CommandLine, output: Output) -> Result<Exit, Error> {
    log_to_stderr(&cli.options)?;
    let config = cli.options.resolve()?;
    match cli.command {
        Command::Serve(args) => commands::serve::run(*args, config, output).await,
        Command::Migrate(args) => commands::migrate::run(args, &config, output).await,
        Command::Doctor => commands::doctor::run(&config, output).await,
        Command::Impact(args) => commands::impact::run(&args, &config, output).await,
        Command::Delete(args) => commands::delete::run(args, &config, output).await,
        Command::Cleanup(args) => commands::cleanup::run(*args, &config, output).await,
        Command::Runs(args) => commands::runs::run(args, &config, output).await,
        Command::Deletions(args) => commands::deletions::run(args, &config, output).await,
        Command::Restore(args) => commands::restore::run(args, &config, output).await,
        Command::Token(args) => commands::token::run(args, &config, output).await,
        Command::Schema => Ok(commands::schema::run(output)),
        Command::Completions(args) => Ok(commands::completions::run(&args, definition(), output)),
        Command::Man(args) => commands::man::run(&args, definition(), output),
    }
}

/// Prints what clap returns in place of arguments: help and version unchanged on standard output, and a usage error on
/// standard error or, with `--json`, as a document.
fn report_usage_error(problem: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if problem.use_stderr() && wants_json {
        Output::new(true).print_error("BAD_USER_INPUT", &usage_message(&problem.to_string()));
    } else if problem.print().is_err() {
        return Exit::Failed.into();
    }
    if problem.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// Returns the message of a usage error in one line, without clap's hints on where to find help.
fn usage_message(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let is_hint = |line: &&str| line.starts_with("Usage:") || line.starts_with("For more information");
    let lines = text.lines().take_while(|line| !is_hint(line)).map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}
