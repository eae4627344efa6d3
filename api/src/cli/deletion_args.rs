//! The arguments for the terms of a deletion, shared by `delete` and `cleanup`.

use crate::deletion::DeletionTerms;
use crate::impact::Impact;

/// The terms of a deletion: what it is expected to delete, and what it may delete.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Deletion")]
pub(super) struct DeletionArgs {
    /// The impact token of a preview; default: the token of the impact that this command shows
    #[arg(long, value_name = "TOKEN")]
    pub expected_impact: Option<String>,
    /// Refuse if more rows than this would be deleted, in all tables; a cleanup run also stops before a batch that
    /// would exceed it
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(i64).range(0..))]
    pub at_most: Option<i64>,
    /// Allow the deletion of connected sessions
    #[arg(long)]
    pub allow_connected: bool,
    /// Allow the deletion of messages that are still to be sent
    #[arg(long)]
    pub allow_pending_messages: bool,
    /// Do not archive the rows; the deletion cannot be restored
    #[arg(long)]
    pub no_archive: bool,
    /// The reason, for the audit record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Return the first result for a repeated request with this key instead of deleting again, and resume its cleanup
    /// run if that has not finished; the impact is then compared only with --expected-impact
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

impl DeletionArgs {
    /// Returns the terms of the request. The expected impact is the one of the arguments, or else the previewed impact.
    /// With an idempotency key the previewed impact is omitted, since a repeated request has to be identical.
    pub fn into_terms(self, previewed: Option<&Impact>) -> DeletionTerms {
        let previewed = previewed.filter(|_| self.idempotency_key.is_none()).map(|impact| impact.token.clone());
        DeletionTerms {
            expected_impact: self.expected_impact.or(previewed),
            at_most: self.at_most,
            allow_connected: self.allow_connected,
            allow_pending_messages: self.allow_pending_messages,
            archive: !self.no_archive,
            reason: self.reason,
            idempotency_key: self.idempotency_key,
        }
    }
}
