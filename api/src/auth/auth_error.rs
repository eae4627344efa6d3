//! Why a caller is not let in.

use std::sync::Arc;

use crate::error::Error;

/// Why a caller is not let in.
#[derive(Debug, Clone)]
pub enum AuthError {
    /// There is no token, and one is required.
    Missing,
    /// The token is unknown, revoked, expired or malformed. The caller is not told which.
    Invalid,
    /// The token is valid, but gives no role here. The sentence says what is missing.
    NoRole(String),
    /// The database cannot tell now.
    Unknown(Arc<Error>),
}
