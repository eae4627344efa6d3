//! On what terms a deletion is made, whether of one session or of many.

use crate::deletion::DeletionTerms;
use crate::impact::Impact;

/// What is expected of the deletion, and what is allowed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "On what terms")]
pub(super) struct DeletionArgs {
    /// The token of the impact that was looked at; without it, the impact that this command shows
    #[arg(long, value_name = "TOKEN")]
    pub expected_impact: Option<String>,
    /// Refuse if more rows than this would be deleted, over all tables; a cleanup run stops before the batch that would pass
    /// it, too
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(i64).range(0..))]
    pub at_most: Option<i64>,
    /// Delete even what is connected
    #[arg(long)]
    pub allow_connected: bool,
    /// Delete even if messages still to be sent go along
    #[arg(long)]
    pub allow_pending_messages: bool,
    /// Keep nothing of what is deleted: it cannot be restored
    #[arg(long)]
    pub no_archive: bool,
    /// Why, for the audit record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Answer what was made under this key again instead of making another, and go on with a cleanup run that has not
    /// finished; with it the impact is only compared if --expected-impact is given
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

impl DeletionArgs {
    /// Returns the terms of the request. The expected impact is the one that was given, or else the impact that was shown.
    /// Under an idempotency key the latter is left out, since a repeated request has to be the same.
    pub fn into_terms(self, shown: Option<&Impact>) -> DeletionTerms {
        let shown = shown.filter(|_| self.idempotency_key.is_none()).map(|impact| impact.token.clone());
        DeletionTerms {
            expected_impact: self.expected_impact.or(shown),
            at_most: self.at_most,
            allow_connected: self.allow_connected,
            allow_pending_messages: self.allow_pending_messages,
            archive: !self.no_archive,
            reason: self.reason,
            idempotency_key: self.idempotency_key,
        }
    }
}
