//! The reasons for which authentication fails.

use std::sync::Arc;

use crate::error::Error;

/// The reason for which authentication fails.
#[derive(Debug, Clone)]
pub enum AuthError {
    /// The request has no token, and the server requires one.
    Missing,
    /// The token is unknown, revoked, expired or malformed. The response does not say which.
    Invalid,
    /// The token is valid, but grants no role on this server. The text is a sentence that says what is missing.
    NoRole(String),
    /// The token cannot be checked, because the database returned an error.
    Unknown(Arc<Error>),
}
