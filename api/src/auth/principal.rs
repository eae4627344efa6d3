//! Who asks.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Role;
use crate::error::Error;

/// Somebody, with what they may do. Cloning it is cheap.
///
/// No two kinds of principals have a name in common, since audit records and idempotency keys go by it: a token's has no
/// colon, and is neither `local` (whoever asks while no token is needed) nor `schedule`; a JWT's begins with `jwt:`, the
/// command line's with `cli:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub(super) name: Arc<str>,
    pub(super) role: Role,
    pub(super) local: bool,
    /// From this moment on it is nobody any more.
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// Names that are no token's.
pub(super) const RESERVED: [&str; 2] = ["local", "schedule"];

/// A letter of which nothing is to be seen, or that changes how others look: two names must not look the same.
pub(super) fn is_invisible(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl Principal {
    /// Whoever asks while no token is needed: they may do everything.
    #[must_use]
    pub fn local(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), role: Role::Admin, local: true, expires_at: None }
    }

    /// The name under which what is done is recorded.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is whoever asks while no token is needed.
    #[must_use]
    pub const fn is_local(&self) -> bool {
        self.local
    }

    /// What may be done.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Passes where this role is enough for `what`, a few words.
    ///
    /// # Errors
    /// [`Error::Forbidden`] that says which role is.
    pub fn require(&self, needed: Role, what: &str) -> Result<(), Error> {
        if self.role >= needed {
            return Ok(());
        }
        Err(Error::Forbidden(format!(
            "{what} needs the role {needed}, and {} has {}. Nothing was executed.",
            self.name, self.role
        )))
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|moment| moment <= now)
    }
}
