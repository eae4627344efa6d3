//! Principals: who makes a request.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Role;
use crate::error::Error;

/// The caller of a request, and the role of the caller. Cloning it is cheap.
///
/// Audit records and idempotency keys go by a principal's name, so no two kinds of principals have a name in common. A token's
/// name has no colon and is neither `local` (everybody while no token is required) nor `schedule`. A JWT's name begins with
/// `jwt:`, the command line's with `cli:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub(super) name: Arc<str>,
    pub(super) role: Role,
    pub(super) local: bool,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// The names that no token may have.
pub(super) const RESERVED: [&str; 2] = ["local", "schedule"];

/// Returns whether a letter is invisible or changes how others look. Two different names must not look the same.
pub(super) fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl Principal {
    /// Returns the principal of requests without a token, while none is required. It may do everything.
    #[must_use]
    pub fn anonymous_local(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), role: Role::Admin, local: true, expires_at: None }
    }

    /// Returns the name under which changes are recorded.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether this is the principal of requests without a token.
    #[must_use]
    pub const fn is_anonymous_local(&self) -> bool {
        self.local
    }

    /// Returns what the principal may do.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Checks that the principal has at least this role. `what` is the subject of the error's message.
    ///
    /// # Errors
    /// [`Error::Forbidden`] that names the role.
    pub fn require(&self, required: Role, what: &str) -> Result<(), Error> {
        if self.role >= required {
            return Ok(());
        }
        Err(Error::Forbidden(format!(
            "{what} needs the role {required}, and {} has {}. Nothing was executed.",
            self.name, self.role
        )))
    }

    /// Returns whether the principal's token has expired.
    #[must_use]
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|moment| moment <= now)
    }
}
