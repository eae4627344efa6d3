//! The error for an invalid option.

use crate::error::Error;

/// Returns [`Error::BadInput`] with the message, which has to name the option and the accepted values.
pub(super) fn reject_option<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error::BadInput(message.into()))
}
