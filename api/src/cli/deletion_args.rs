//! On what terms a deletion is made, whether of one session or of many.

use crate::impact::Impact;

/// What is expected of the deletion, and what is allowed.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "On what terms")]
pub(super) struct Terms {
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

impl Terms {
    /// The token that is compared: the one that was given, or else that of what was shown. Under an idempotency key the
    /// latter is left out, since the request is to be the same when it is repeated.
    pub fn token(&self, shown: Option<&Impact>) -> Option<String> {
        let shown = shown.filter(|_| self.idempotency_key.is_none()).map(|impact| impact.token.clone());
        self.expected_impact.clone().or(shown)
    }
}
