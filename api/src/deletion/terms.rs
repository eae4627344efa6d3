//! The terms of a deletion, which one deletion, a cleanup and its run have in common.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::idempotency;
use crate::idempotency::IdempotentRequest;

/// The expectations and permissions that the caller sets for a deletion, and the data for its audit record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeletionTerms {
    /// The token of the expected impact. The request is refused if the impact differs; a cleanup compares it once,
    /// before it deletes anything.
    pub expected_impact: Option<String>,
    /// The most rows that may be deleted over all tables. A cleanup run stops before the batch that would exceed it.
    pub at_most: Option<i64>,
    /// Whether connected sessions may be deleted.
    pub allow_connected: bool,
    /// Whether messages still to be sent may be deleted with their sessions.
    pub allow_pending_messages: bool,
    /// Whether the deleted rows are archived, so that they can be restored.
    pub archive: bool,
    /// The reason, for the audit record.
    pub reason: Option<String>,
    /// The key under which the request is made at most once: a repetition returns the first outcome.
    pub idempotency_key: Option<String>,
}

impl Default for DeletionTerms {
    /// Returns terms that allow nothing, and archive what is deleted.
    fn default() -> Self {
        Self {
            expected_impact: None,
            at_most: None,
            allow_connected: false,
            allow_pending_messages: false,
            archive: true,
            reason: None,
            idempotency_key: None,
        }
    }
}

/// The longest reason, in characters.
const MAX_REASON_LENGTH: usize = 2_000;

impl DeletionTerms {
    /// Checks everything that needs no database.
    ///
    /// # Errors
    /// [`Error::BadInput`] naming the argument.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.at_most.is_some_and(|rows| rows < 0) {
            return Err(Error::BadInput("atMost is negative; it is a number of rows.".to_owned()));
        }
        idempotency::check(self.idempotency_key.as_ref())?;
        let is_too_long = |reason: &String| reason.chars().count() > MAX_REASON_LENGTH || reason.contains('\0');
        if self.reason.as_ref().is_some_and(is_too_long) {
            let message = format!("reason must have at most {MAX_REASON_LENGTH} characters, none of them NUL.");
            return Err(Error::BadInput(message));
        }
        Ok(())
    }

    /// Returns the request as it is looked up and stored under its idempotency key; none where it has no key. `target`
    /// is what is to be deleted.
    pub(crate) fn idempotent_request(&self, principal: &str, target: &impl Serialize) -> Option<IdempotentRequest> {
        let key = self.idempotency_key.as_ref()?;
        Some(IdempotentRequest::new(principal, key, self, target))
    }
}
