//! The definition of the command line: global options and commands.

use clap::{CommandFactory as _, Parser, Subcommand};

use super::commands;
use crate::config::GlobalOptions;

const ABOUT: &str = "Shows what deleting a WhatsApp session will do, and does exactly that.";

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused (blocked, changed, too many rows; \
                          for doctor: an error that is not accepted; for cleanup: a session was skipped).";

/// The arguments of the program.
#[derive(Debug, Parser)]
#[command(name = "session-admin", version, about = ABOUT, propagate_version = true, after_help = EXIT_CODES)]
pub(super) struct CommandLine {
    #[command(flatten)]
    pub options: GlobalOptions,
    /// One JSON document on standard output in place of tables, also for a refusal or an error
    #[arg(long, global = true, help_heading = "Options of every command")]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve the GraphQL API
    Serve(Box<commands::serve::Args>),
    /// Bring the database's foreign keys into order, then purge stale sessions; asks before it changes anything
    Migrate(commands::migrate::Args),
    /// Report what stands in the way of deletions; exits 3 while there are errors that are not accepted
    Doctor,
    /// Show what deleting sessions would do; changes nothing
    ///
    /// Exits 3 if something is in the way that only the database's owner can mend: a foreign key that refuses, or rows that
    /// this role may not see. Connected sessions and messages still to be sent are shown, and are no reason for that:
    /// `delete` refuses them unless they are allowed.
    Impact(commands::impact::Args),
    /// Delete a session and all that goes with it, or do nothing and say why
    Delete(commands::delete::Args),
    /// Delete the sessions that meet criteria, the stale ones unless said, in short transactions
    Cleanup(Box<commands::cleanup::Args>),
    /// List the cleanup runs, newest first; show one, cancel it, or go on with it where it was interrupted
    Runs(commands::runs::Args),
    /// List the deletions that were made, newest first; show one, or erase what it kept
    Deletions(commands::deletions::Args),
    /// Put a deletion's rows back, all of them or none, and say what is in the way
    Restore(commands::restore::Args),
    /// Make, list and revoke access tokens
    Token(commands::token::Args),
    /// Print the GraphQL schema
    Schema,
    /// Print a script that completes commands and flags, for a shell
    Completions(commands::completions::Args),
    /// Print a manual page
    Man(commands::man::Args),
}

/// Returns the definition of the command line, from which the reference is printed.
#[must_use]
pub fn definition() -> clap::Command {
    CommandLine::command()
}
