//! The exit codes of all commands.

use std::process::ExitCode;

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
