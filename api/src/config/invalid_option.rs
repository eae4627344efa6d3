//! The error of an option that is not valid.

use crate::error::Error;

/// Returns the error with this message, which names the option and says what is accepted.
pub(super) fn invalid<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::BadInput(message.into()))
}
