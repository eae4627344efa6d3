//! Errors of requests that are not executed: each has a code in its extensions and a message of bounded length.

use async_graphql::{ErrorExtensionValues, ServerError};

/// The client's document or values are wrong.
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// The document asks for more than one request may.
pub const QUERY_TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
/// A defect of the server, or a fault of its machine.
pub const INTERNAL: &str = "INTERNAL";

/// The longest message, in bytes.
const MAX_MESSAGE: usize = 1_000;

/// Returns an error with this code and message; a message that is too long is cut.
#[must_use]
pub fn error_with_code(code: &str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    shorten(&mut error.message);
    set_code(&mut error, code);
    error
}

/// Cuts a message that is longer than 1,000 bytes: some repeat what the client sent.
pub fn shorten(message: &mut String) {
    if message.len() > MAX_MESSAGE {
        message.truncate(message.floor_char_boundary(MAX_MESSAGE - '…'.len_utf8()));
        message.push('…');
    }
}

/// Sets `extensions.code` of an error.
pub fn set_code(error: &mut ServerError, code: &str) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code);
}
