//! What a deletion is requested with, its outcome, and its audit record.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::terms::DeletionTerms;
use crate::error::Error;
use crate::gateway::{Gateway, GatewaySessionState, GatewayState, query_all};
use crate::idempotency::IdempotentRequest;
use crate::impact::{Impact, ImpactChange, TableImpact};
use crate::refusal::Refusal;
use crate::session;

/// A request to delete sessions together, in one transaction.
#[derive(Debug, Clone, Default)]
pub struct DeletionRequest {
    /// The sessions to delete.
    pub session_ids: Vec<Uuid>,
    /// What the caller expects and allows.
    pub terms: DeletionTerms,
    /// What every session must meet; checked again once the sessions are locked.
    pub must_meet: Option<session::SessionFilter>,
    /// The gateway's answers about the sessions just before; sessions that it was not asked about are left out.
    pub gateway: HashMap<Uuid, GatewayState>,
    /// Whether the deletion is rolled back once it has been made.
    pub dry_run: bool,
    /// The name of the principal that makes the request, for the audit record and the idempotency key.
    pub principal: String,
}

impl DeletionRequest {
    /// Returns the request with the gateway's answers about its sessions, or without answers if there is no gateway.
    /// The gateway is queried here and not during the deletion, because the deletion holds locks.
    pub async fn with_gateway_states(mut self, gateway: Option<&Gateway>) -> Self {
        self.gateway = query_all(gateway, &self.session_ids).await;
        self
    }

    /// Checks everything that needs no database.
    ///
    /// # Errors
    /// [`Error::BadInput`] naming the argument.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.session_ids.is_empty() {
            return Err(Error::BadInput("No session was specified.".to_owned()));
        }
        self.terms.check()
    }

    /// Returns the request as it is stored under its idempotency key. None for a dry run, which is not stored.
    pub(super) fn idempotent_request(&self) -> Option<IdempotentRequest> {
        if self.dry_run {
            return None;
        }
        self.terms.idempotent_request(&self.principal, &json!({ "sessions": self.session_ids }))
    }
}

/// The outcome of a deletion request: a deletion, or refusals; of a dry run only the impact.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeletionOutcome {
    /// The audit record; none for a dry run or a refusal.
    pub deletion: Option<Deletion>,
    /// What was deleted, or would have been.
    pub impact: Option<Impact>,
    /// How the impact differs from the expected one.
    pub changes: Vec<ImpactChange>,
    /// Why nothing was deleted.
    pub refusals: Vec<Refusal>,
    /// Whether the deletion was made by an earlier request under the same idempotency key.
    pub repeated: bool,
}

impl DeletionOutcome {
    /// Returns the outcome of a request that was refused before its impact was known.
    pub(super) fn refused(refusals: Vec<Refusal>) -> Self {
        Self { refusals, ..Self::default() }
    }
}

/// A finished deletion: its audit record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// The deletion's id.
    pub id: Uuid,
    /// The status of its archive.
    pub status: DeletionStatus,
    /// The deleted sessions, in the order of the request.
    pub sessions: Vec<DeletedSession>,
    /// Rows deleted over all tables.
    pub rows_deleted: i64,
    /// Rows unlinked over all tables.
    pub rows_unlinked: i64,
    /// The impact table by table.
    pub tables: Vec<TableImpact>,
    /// The name of the principal that deleted.
    pub deleted_by: String,
    /// The reason that was given.
    pub reason: Option<String>,
    /// The time of the deletion.
    pub deleted_at: DateTime<Utc>,
    /// The time until which it can be restored; none where nothing was archived.
    pub restorable_until: Option<DateTime<Utc>>,
    /// The time at which it was restored.
    pub restored_at: Option<DateTime<Utc>>,
    /// The name of the principal that restored it.
    pub restored_by: Option<String>,
    /// The time at which its archive, the names of its sessions and its reason were erased on request.
    pub erased_at: Option<DateTime<Utc>>,
    /// The name of the principal that erased it.
    pub erased_by: Option<String>,
    /// The permissions that the caller gave: `allowConnected`, `allowPendingMessages`.
    pub allowed: Vec<String>,
    /// The cleanup run that it is a batch of.
    pub run_id: Option<Uuid>,
}

/// A deleted session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedSession {
    /// The session's id.
    pub id: Uuid,
    /// The session's name at the time; none where it had none, or was erased.
    pub name: Option<String>,
    /// The gateway's state of the session just before; none where it was not asked.
    pub gateway: Option<GatewaySessionState>,
}

/// The status of a deletion's archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeletionStatus {
    /// The rows are archived and can be restored.
    Restorable,
    /// The rows have been restored.
    Restored,
    /// The archive's retention is over.
    Expired,
    /// The archive was erased on request.
    Erased,
    /// Nothing was archived.
    NotArchived,
}

impl DeletionStatus {
    /// All statuses.
    pub const ALL: [Self; 5] = [Self::Restorable, Self::Restored, Self::Expired, Self::Erased, Self::NotArchived];

    /// Returns the word that is stored for the status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restorable => "RESTORABLE",
            Self::Restored => "RESTORED",
            Self::Expired => "EXPIRED",
            Self::Erased => "ERASED",
            Self::NotArchived => "NOT_ARCHIVED",
        }
    }

    /// Returns the status for a stored word; none for an unknown word.
    #[must_use]
    pub fn from_name(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}
