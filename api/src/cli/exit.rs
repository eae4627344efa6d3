//! The exit codes of all commands.

use std::process::ExitCode;

/// The exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command succeeded.
    Done = 0,
    /// The command failed because of an error of the database, the network or the program.
    Failed = 1,
    /// The arguments or the configuration are invalid.
    Usage = 2,
    /// The command refused the request and printed the reason.
    Refused = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
