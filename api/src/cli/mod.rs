//! The command line, one command a file. Arguments in, tables or JSON out; all rules live in the domain.

pub(crate) mod commands;
mod deletion_args;
mod follow_run;
mod output;
mod prompt;
mod render;
mod shutdown_signal;
mod value_parsers;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Options};
use crate::db::Database;
use crate::error::Error;
use crate::graphql::error::chain;
use output::Output;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "session-admin", version, about = ABOUT, propagate_version = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    options: Options,
    /// One JSON document on standard output in place of tables, also for a refusal or an error
    #[arg(long, global = true, help_heading = "Options of every command")]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const ABOUT: &str = "Shows what deleting a WhatsApp session will do, and does exactly that.";

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused (blocked, changed, too many rows; \
                          for doctor: an error that is not accepted; for cleanup: a session was skipped).";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the GraphQL API
    Serve(Box<crate::cli::commands::serve::Args>),
    /// Bring the database's foreign keys into order, then purge stale sessions; asks before it changes anything
    Migrate(crate::cli::commands::migrate::Args),
    /// Report what stands in the way of deletions; exits 3 while there are errors that are not accepted
    Doctor,
    /// Show what deleting sessions would do; changes nothing
    ///
    /// Exits 3 if something is in the way that only the database's owner can mend: a foreign key that refuses, or rows that
    /// this role may not see. Connected sessions and messages still to be sent are shown, and are no reason for that:
    /// `delete` refuses them unless they are allowed.
    Impact(crate::cli::commands::impact::Args),
    /// Delete a session and all that goes with it, or do nothing and say why
    Delete(crate::cli::commands::delete::Args),
    /// Delete the sessions that meet criteria, the stale ones unless said, in short transactions
    Cleanup(Box<crate::cli::commands::cleanup::Args>),
    /// List the cleanup runs, newest first; show one, cancel it, or go on with it where it was interrupted
    Runs(crate::cli::commands::runs::Args),
    /// List the deletions that were made, newest first; show one, or erase what it kept
    Deletions(crate::cli::commands::deletions::Args),
    /// Put a deletion's rows back, all of them or none, and say what is in the way
    Restore(crate::cli::commands::restore::Args),
    /// Make, list and revoke access tokens
    Token(crate::cli::commands::token::Args),
    /// Print the GraphQL schema
    Schema,
    /// Print a script that completes commands and flags, for a shell
    Completions(crate::cli::commands::completions::Args),
    /// Print a manual page
    Man(crate::cli::commands::man::Args),
}

/// A command's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command did what it was asked to do.
    Done = 0,
    /// An error: a fault of the database, the network or the program.
    Failed = 1,
    /// The arguments or the configuration are invalid.
    Usage = 2,
    /// The command decided not to do it, and said why.
    Refused = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Returns the definition of the command line, from which the reference is printed.
#[must_use]
pub fn definition() -> clap::Command {
    Cli::command()
}

/// Runs the command that the arguments name.
pub async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(problem) => return misused(&problem),
    };
    let output = Output::new(cli.json);
    let exit = match run(cli, output).await {
        Ok(exit) => exit,
        Err(error) => {
            tracing::debug!(error = chain(&error), "failed");
            let wrong_usage = matches!(error, Error::BadInput(_));
            let message = error.in_full();
            output.error(error.code(), &if wrong_usage { render::in_flags(&message) } else { message });
            if wrong_usage { Exit::Usage } else { Exit::Failed }
        }
    };
    exit.into()
}

async fn run(cli: Cli, output: Output) -> Result<Exit, Error> {
    log_to_stderr(&cli.options)?;
    let config = cli.options.resolve()?;
    match cli.command {
        Command::Serve(args) => crate::cli::commands::serve::run(*args, config, output).await,
        Command::Migrate(args) => crate::cli::commands::migrate::run(args, &config, output).await,
        Command::Doctor => crate::cli::commands::doctor::run(&config, output).await,
        Command::Impact(args) => crate::cli::commands::impact::run(&args, &config, output).await,
        Command::Delete(args) => crate::cli::commands::delete::run(args, &config, output).await,
        Command::Cleanup(args) => crate::cli::commands::cleanup::run(*args, &config, output).await,
        Command::Runs(args) => crate::cli::commands::runs::run(args, &config, output).await,
        Command::Deletions(args) => crate::cli::commands::deletions::run(args, &config, output).await,
        Command::Restore(args) => crate::cli::commands::restore::run(args, &config, output).await,
        Command::Token(args) => crate::cli::commands::token::run(args, &config, output).await,
        Command::Schema => Ok(crate::cli::commands::schema::run(output)),
        Command::Completions(args) => Ok(crate::cli::commands::completions::run(&args, output)),
        Command::Man(args) => crate::cli::commands::man::run(&args, output),
    }
}

/// Help and version go to standard output as they are; with `--json` a complaint is a document like any other.
fn misused(problem: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    if problem.use_stderr() && wants_json {
        Output::new(true).error("BAD_USER_INPUT", &complaint(&problem.to_string()));
    } else if problem.print().is_err() {
        return Exit::Failed.into();
    }
    if problem.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// What is wrong, in a line; where help is to be had is for people.
fn complaint(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let is_help = |line: &&str| line.starts_with("Usage:") || line.starts_with("For more information");
    let said = text.lines().take_while(|line| !is_help(line)).map(str::trim).filter(|line| !line.is_empty());
    said.collect::<Vec<_>>().join(" ")
}

fn log_to_stderr(options: &Options) -> Result<(), Error> {
    let filter = EnvFilter::try_new(&options.log).map_err(|problem| {
        Error::BadInput(format!(
            "--log (SESSION_ADMIN_LOG) is not a filter such as `info` or `warn,api=debug`: {problem}."
        ))
    })?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match options.log_format {
        LogFormat::Text => subscriber.with_ansi(false).try_init(),
        LogFormat::Json => subscriber.json().with_span_list(false).try_init(),
    };
    started.map_err(|problem| Error::BadInput(format!("The log cannot be started: {problem}.")))
}

/// Fails where this program's own tables are missing or old. A purge that is pending changes nothing about them.
async fn require_migrated(db: &Database) -> Result<(), Error> {
    let pending = migration::list_pending(db.pool()).await?;
    if pending.iter().all(|name| name == migration::STALE_PURGE) {
        Ok(())
    } else {
        Err(Error::MigrationsPending(pending.len()))
    }
}

/// Who this is, for the audit record.
fn principal() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    format!("cli:{}", user.as_deref().unwrap_or("unknown"))
}
