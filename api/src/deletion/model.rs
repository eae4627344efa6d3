//! What a deletion is requested with, what comes of it, and its audit record.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::gateway::{Gateway, GatewaySessionState, GatewayState, ask_about_each};
use crate::idempotency::Keyed;
use crate::impact::{Impact, ImpactChange, TableImpact};
use crate::refusal::Refusal;
use crate::session;

/// What is asked for.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is something the caller says by itself")]
pub struct DeletionRequest {
    /// The sessions that go together.
    pub session_ids: Vec<Uuid>,
    /// The token of the impact that was looked at.
    pub expected_impact: Option<String>,
    /// Refuse if more rows than this would be deleted, over all tables.
    pub at_most: Option<i64>,
    /// Refuse unless all meet this; looked at again under the locks.
    pub must_meet: Option<session::Filter>,
    /// What the gateway said of the sessions just before; those that it was not asked about are left out.
    pub gateway: HashMap<Uuid, GatewayState>,
    /// Connected sessions may go.
    pub allow_connected: bool,
    /// Messages still to be sent may go.
    pub allow_pending_messages: bool,
    /// Keep what is deleted, so that it can be restored.
    pub archive: bool,
    /// The deletion itself, rolled back.
    pub dry_run: bool,
    /// Why, for the audit record.
    pub reason: Option<String>,
    /// Answer a deletion that was committed under this key again.
    pub idempotency_key: Option<String>,
    /// Who asks, for the audit record and the key.
    pub principal: String,
}

impl Default for DeletionRequest {
    /// Nothing is allowed, and what goes is kept.
    fn default() -> Self {
        Self {
            session_ids: Vec::new(),
            expected_impact: None,
            at_most: None,
            must_meet: None,
            gateway: HashMap::new(),
            allow_connected: false,
            allow_pending_messages: false,
            archive: true,
            dry_run: false,
            reason: None,
            idempotency_key: None,
            principal: String::new(),
        }
    }
}

/// The longest reason, in characters.
const LONGEST_REASON: usize = 2_000;

impl DeletionRequest {
    /// The same with what the gateway says of the sessions, where there is one. It is asked here and not by the deletion,
    /// which holds locks.
    pub async fn asked(mut self, gateway: Option<&Gateway>) -> Self {
        self.gateway = ask_about_each(gateway, &self.session_ids).await;
        self
    }

    /// Checks what needs no database.
    ///
    /// # Errors
    /// [`Error::BadInput`] naming the argument.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.session_ids.is_empty() {
            return Err(Error::BadInput("No session was named.".to_owned()));
        }
        check(self.at_most, self.idempotency_key.as_ref(), self.reason.as_ref())
    }

    /// What it is looked up by where it came under a key.
    pub(super) fn keyed(&self) -> Option<Keyed> {
        let key = self.idempotency_key.as_ref().filter(|_| !self.dry_run)?;
        let said = format!(
            "{:?} {:?} {:?} {} {} {:?}{}",
            self.session_ids,
            self.expected_impact,
            self.at_most,
            self.allow_connected,
            self.allow_pending_messages,
            self.reason,
            if self.archive { "" } else { " without archive" }
        );
        Some(Keyed::new(&self.principal, key, &said))
    }
}

/// Checks what deletions and cleanups are both asked with.
pub(crate) fn check(
    at_most: Option<i64>,
    idempotency_key: Option<&String>,
    reason: Option<&String>,
) -> Result<(), Error> {
    if at_most.is_some_and(|rows| rows < 0) {
        return Err(Error::BadInput("atMost is negative; it is a number of rows.".to_owned()));
    }
    crate::idempotency::check(idempotency_key)?;
    if reason.is_some_and(|reason| reason.chars().count() > LONGEST_REASON || reason.contains('\0')) {
        let message = format!("reason must have at most {LONGEST_REASON} characters, none of them NUL.");
        return Err(Error::BadInput(message));
    }
    Ok(())
}

impl DeletionOutcome {
    pub(super) fn refused(refusals: Vec<Refusal>) -> Self {
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
    /// Whether the deletion was made before, under the same key.
    pub repeated: bool,
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
    /// Until when it can be restored; none where nothing was kept.
    pub restorable_until: Option<DateTime<Utc>>,
    /// When it was restored.
    pub restored_at: Option<DateTime<Utc>>,
    /// By whom.
    pub restored_by: Option<String>,
    /// When what it kept was erased before its time, and the names and the reason with it.
    pub erased_at: Option<DateTime<Utc>>,
    /// By whom.
    pub erased_by: Option<String>,
    /// What the caller allowed: `allowConnected`, `allowPendingMessages`.
    pub allowed: Vec<String>,
    /// The cleanup run that it is a batch of.
    pub run_id: Option<Uuid>,
}

/// A session that went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedSession {
    /// Its id.
    pub id: Uuid,
    /// Its name at the time.
    pub name: Option<String>,
    /// What the gateway said of it just before; none where it was not asked.
    pub gateway: Option<GatewaySessionState>,
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
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Restorable, Self::Restored, Self::Expired, Self::Erased, Self::NotArchived];

    /// The word that is stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Restorable => "RESTORABLE",
            Self::Restored => "RESTORED",
            Self::Expired => "EXPIRED",
            Self::Erased => "ERASED",
            Self::NotArchived => "NOT_ARCHIVED",
        }
    }

    /// The status that a stored word means.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }
}
