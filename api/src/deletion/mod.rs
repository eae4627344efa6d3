//! Deletion: what was shown, or nothing; with an audit record.

mod audit;
mod execute;
mod idempotency;
mod on_postgres;
mod on_sqlite;
mod refuse;
mod statements;
pub mod trail;
mod witness;
mod work;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::impact::{Impact, ImpactChange, TableImpact};
use crate::refusal::Refusal;
use crate::session;

pub use execute::delete;
pub use trail::Filter;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct DeletionRequest {
    /// The sessions that go together.
    pub session_ids: Vec<Uuid>,
    /// The token of the impact that was looked at.
    pub expected_impact: Option<String>,
    /// Refuse if more rows than this would be deleted, over all tables.
    pub at_most: Option<i64>,
    /// Refuse unless all meet this; looked at again under the locks.
    pub must_meet: Option<session::Filter>,
    /// Connected sessions may go.
    pub allow_connected: bool,
    /// Messages still to be sent may go.
    pub allow_pending_messages: bool,
    /// The deletion itself, rolled back.
    pub dry_run: bool,
    /// Why, for the audit record.
    pub reason: Option<String>,
    /// Answer a deletion that was committed under this key again.
    pub idempotency_key: Option<String>,
    /// Who asks, for the audit record and the key.
    pub principal: String,
}

/// The longest reason and the longest idempotency key, in characters.
const LONGEST_REASON: usize = 2_000;
const LONGEST_KEY: usize = 255;

impl DeletionRequest {
    /// Checks what needs no database.
    ///
    /// # Errors
    /// [`Error::BadInput`] naming the argument.
    fn check(&self) -> Result<(), Error> {
        let bad = |message: String| Err(Error::BadInput(message));
        if self.session_ids.is_empty() {
            return bad("No session was named.".to_owned());
        }
        if self.at_most.is_some_and(|rows| rows < 0) {
            return bad("atMost is negative; it is a number of rows.".to_owned());
        }
        let too_long = |text: &String, most: usize| text.chars().count() > most || text.contains('\0');
        if self.idempotency_key.as_ref().is_some_and(|key| key.is_empty() || too_long(key, LONGEST_KEY)) {
            return bad(format!("idempotencyKey must have 1 to {LONGEST_KEY} characters, none of them NUL."));
        }
        if self.reason.as_ref().is_some_and(|reason| too_long(reason, LONGEST_REASON)) {
            return bad(format!("reason must have at most {LONGEST_REASON} characters, none of them NUL."));
        }
        Ok(())
    }
}

impl DeletionOutcome {
    fn refused(refusals: Vec<Refusal>) -> Self {
        Self { refusals, ..Self::default() }
    }
}

/// What came of it: a deletion, or refusals; on a dry run only the impact.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletionOutcome {
    /// The audit record; none on a dry run or a refusal.
    pub deletion: Option<Deletion>,
    /// What was, or would have been, done.
    pub impact: Option<Impact>,
    /// Where it differs from what was looked at.
    pub changes: Vec<ImpactChange>,
    /// Why nothing was done.
    pub refusals: Vec<Refusal>,
}

/// A finished deletion: its audit record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// Its id.
    pub id: Uuid,
    /// What has become of its archive.
    pub status: DeletionStatus,
    /// The sessions that went, in the order asked for.
    pub sessions: Vec<DeletedSession>,
    /// Rows deleted over all tables.
    pub rows_deleted: i64,
    /// Rows unlinked over all tables.
    pub rows_unlinked: i64,
    /// Table by table.
    pub tables: Vec<TableImpact>,
    /// Who.
    pub deleted_by: String,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub deleted_at: DateTime<Utc>,
    /// What the caller allowed: `allowConnected`, `allowPendingMessages`.
    pub allowed: Vec<String>,
}

/// A session that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedSession {
    /// Its id.
    pub id: Uuid,
    /// Its name at the time.
    pub name: Option<String>,
}

/// What has become of a deletion's archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeletionStatus {
    /// The rows are kept and can be put back.
    Restorable,
    /// They have been put back.
    Restored,
    /// They were kept for as long as configured.
    Expired,
    /// They were erased before their time.
    Erased,
    /// None were kept.
    NotArchived,
}

impl DeletionStatus {
    const ALL: [Self; 5] = [Self::Restorable, Self::Restored, Self::Expired, Self::Erased, Self::NotArchived];

    /// The word that is stored.
    const fn word(self) -> &'static str {
        match self {
            Self::Restorable => "RESTORABLE",
            Self::Restored => "RESTORED",
            Self::Expired => "EXPIRED",
            Self::Erased => "ERASED",
            Self::NotArchived => "NOT_ARCHIVED",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}
