//! The definition of the command line: the global options and the commands.

use clap::{CommandFactory as _, Parser, Subcommand};

use super::commands;
use crate::config::GlobalOptions;

const ABOUT: &str = "Shows what deleting a WhatsApp session will do, and does exactly that or nothing.";

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused (for example blocked, changed, too \
                          many rows; doctor: an error that is not accepted; impact: a blocker; cleanup: a session was \
                          skipped).";

/// The arguments of the program.
#[derive(Debug, Parser)]
#[command(name = "session-admin", version, about = ABOUT, propagate_version = true, after_help = EXIT_CODES)]
pub(super) struct CommandLine {
    #[command(flatten)]
    pub options: GlobalOptions,
    /// Print one JSON document instead of tables, also for a refusal or an error
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
    /// Repair the foreign keys, create missing indexes and tables, then purge stale sessions; asks first
    Migrate(commands::migrate::Args),
    /// Report what prevents deletions, with SQL that repairs it; exits with 3 while an error is not accepted
    Doctor,
    /// Show what deleting sessions would do; changes nothing
    ///
    /// Exits with 3 if there is a blocker that only the database's owner can remove: a foreign key that refuses, or
    /// rows that this role may not see. Connected sessions and messages that are still to be sent are no blockers: they
    /// are shown, and `delete` refuses them unless they are allowed.
    Impact(commands::impact::Args),
    /// Delete a session and everything that depends on it, or do nothing and say why
    Delete(commands::delete::Args),
    /// Delete all sessions that meet criteria (default: the stale ones), in short transactions
    Cleanup(Box<commands::cleanup::Args>),
    /// List cleanup runs, newest first; show, cancel, resume or restore one
    Runs(commands::runs::Args),
    /// List deletions, newest first; show one, or erase its archive
    Deletions(commands::deletions::Args),
    /// Restore a deletion, completely or not at all; lists what prevents it
    Restore(commands::restore::Args),
    /// Create, list and revoke access tokens
    Token(commands::token::Args),
    /// Print the GraphQL schema
    Schema,
    /// Print a shell completion script
    Completions(commands::completions::Args),
    /// Print a manual page
    Man(commands::man::Args),
}

/// Returns the definition of the command line. The command reference is generated from it.
#[must_use]
pub fn definition() -> clap::Command {
    CommandLine::command()
}
