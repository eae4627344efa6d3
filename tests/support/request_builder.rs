//! Builder methods for the terms of requests, such as `request(STALE).at_most(500).reason("spring")`.

use api::cleanup::CleanupRequest;
use api::deletion::{DeletionRequest, DeletionTerms};

/// A request whose terms can be changed one by one.
pub trait WithTerms: Sized {
    fn terms_mut(&mut self) -> &mut DeletionTerms;

    fn with(mut self, change: impl FnOnce(&mut DeletionTerms)) -> Self {
        change(self.terms_mut());
        self
    }

    /// Sets the token of the expected impact.
    fn expected_impact(self, token: impl Into<Option<String>>) -> Self {
        self.with(|terms| terms.expected_impact = token.into())
    }

    fn at_most(self, rows: i64) -> Self {
        self.with(|terms| terms.at_most = Some(rows))
    }

    fn allow_connected(self) -> Self {
        self.with(|terms| terms.allow_connected = true)
    }

    fn allow_pending_messages(self) -> Self {
        self.with(|terms| terms.allow_pending_messages = true)
    }

    fn without_archive(self) -> Self {
        self.with(|terms| terms.archive = false)
    }

    fn reason(self, reason: impl Into<String>) -> Self {
        self.with(|terms| terms.reason = Some(reason.into()))
    }

    fn idempotency_key(self, key: impl Into<String>) -> Self {
        self.with(|terms| terms.idempotency_key = Some(key.into()))
    }
}

impl WithTerms for DeletionRequest {
    fn terms_mut(&mut self) -> &mut DeletionTerms {
        &mut self.terms
    }
}

impl WithTerms for CleanupRequest {
    fn terms_mut(&mut self) -> &mut DeletionTerms {
        &mut self.terms
    }
}
