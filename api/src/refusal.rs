//! Refusals that a caller can act on. They are data, not errors. The GraphQL schema calls them user errors.

/// The stable code of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusalCode {
    /// A requested object does not exist or no longer exists.
    NotFound,
    /// A session is connected, and the request does not allow that.
    SessionConnected,
    /// Pending messages would be deleted, and the request does not allow that.
    PendingMessages,
    /// A foreign key or another database constraint rejects the deletion.
    BlockedByForeignKey,
    /// The impact differs from the expected one.
    ImpactChanged,
    /// More rows than `atMost` would be deleted.
    TooManyRows,
    /// A session no longer matches the criteria by which it was selected.
    NoLongerMatches,
    /// Another transaction held a lock for longer than the lock timeout.
    LockTimeout,
    /// The idempotency key was used with other input.
    IdempotencyKeyReused,
    /// The gateway reports a session as connected, and the request does not allow that.
    GatewayDisagrees,
    /// The deletion has already been restored.
    AlreadyRestored,
    /// The archive of the deletion has expired, was erased or never existed.
    ArchiveGone,
    /// Conflicts prevent the restore.
    RestoreConflict,
    /// The run has already finished.
    RunFinished,
}

/// A refusal. There is at most one per code, and its message names everything that it concerns.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// The stable code.
    pub code: RefusalCode,
    /// The problem and the next step.
    pub message: String,
    /// The path of the argument that the refusal concerns, if it concerns one.
    pub field: Option<Vec<String>>,
}

impl Refusal {
    /// Creates a refusal that concerns no single argument.
    #[must_use]
    pub fn without_field(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    /// Creates a refusal that concerns the argument at `field`, a path with dots such as `input.id`.
    #[must_use]
    pub fn for_field(field: &str, code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: Some(field.split('.').map(str::to_owned).collect()) }
    }
}
