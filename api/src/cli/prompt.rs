//! Asking before something is done that cannot be taken back.

use std::io::{IsTerminal as _, Write as _};

use super::output::Output;
use crate::error::Error;

/// Whether there is somebody to ask: with `--json` the caller is a program.
pub(super) fn can_prompt(output: Output) -> bool {
    !output.json() && std::io::stdin().is_terminal()
}

/// Asks; anything but yes is no.
pub(super) fn confirm(question: &str) -> Result<bool, Error> {
    let failed = |source| Error::Io { what: "The answer could not be read".to_owned(), source };
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Fails early, as wrong usage, where nobody can be asked and `--yes` is missing.
pub(super) fn confirm_or_yes(yes: bool, output: Output, what: &str) -> Result<(), Error> {
    if yes || can_prompt(output) {
        Ok(())
    } else {
        Err(Error::BadInput(format!("{what} asks first, and there is no terminal to ask on. Add --yes to go ahead.")))
    }
}
