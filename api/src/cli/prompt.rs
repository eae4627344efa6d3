//! The confirmation prompt of commands that change the database.

use std::io::{IsTerminal as _, Write as _};

use super::output::Output;
use crate::error::Error;

/// Returns whether a prompt can be answered: standard input is a terminal, and the output is not `--json`, which a
/// program reads.
pub(super) fn can_prompt(output: Output) -> bool {
    !output.is_json() && std::io::stdin().is_terminal()
}

/// Asks the question on standard error and reads the answer. Returns true only for `y` or `yes`.
///
/// # Errors
/// [`Error::Io`] if the answer cannot be read.
pub(super) fn confirm(question: &str) -> Result<bool, Error> {
    let io_error = |source| Error::Io { what: "The answer could not be read".to_owned(), source };
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).map_err(io_error)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(io_error)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Checks that the command can be confirmed: `--yes` is set, or a prompt can be answered.
///
/// # Errors
/// [`Error::BadInput`] if neither is the case.
pub(super) fn require_yes_or_terminal(yes: bool, output: Output, command: &str) -> Result<(), Error> {
    if yes || can_prompt(output) {
        Ok(())
    } else {
        Err(Error::BadInput(format!(
            "{command} asks for confirmation, and there is no terminal. Add --yes to confirm."
        )))
    }
}
