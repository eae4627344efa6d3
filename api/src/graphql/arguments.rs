//! Checks of arguments that many fields take.

use crate::error::Error;

/// The longest text to look for or to compare with, in characters.
const LONGEST: usize = 200;

/// A text to look for or to compare with.
pub(super) fn text(argument: &str, text: String) -> Result<String, Error> {
    if text.chars().count() > LONGEST || text.contains('\0') {
        return Err(Error::BadInput(format!("{argument} must have at most {LONGEST} characters, none of them NUL.")));
    }
    Ok(text)
}
