//! Refusals: what a caller can act on, as data and not as errors. The contract calls them user errors.

/// The stable code of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefusalCode {
    /// What was named does not exist, or no longer.
    NotFound,
    /// A session among them is connected, and that was not allowed.
    SessionConnected,
    /// Messages still to be sent would go, and that was not allowed.
    PendingMessages,
    /// A foreign key, or what else the database enforces, refuses.
    BlockedByForeignKey,
    /// The impact is not the one that was looked at.
    ImpactChanged,
    /// More rows than `atMost` would be deleted.
    TooManyRows,
    /// A session is no longer what it was picked for.
    NoLongerMatches,
    /// Somebody else held a lock for too long.
    LockTimeout,
    /// The same key came with other input.
    IdempotencyKeyReused,
    /// The gateway says that a session is connected, and that was not allowed.
    GatewayDisagrees,
    /// The deletion has been restored already.
    AlreadyRestored,
    /// What the deletion kept has expired, was erased, or was never kept.
    ArchiveGone,
    /// Something stands in the way of what would be put back.
    RestoreConflict,
    /// The run has finished.
    RunFinished,
}

/// One refusal; at most one per code, its message naming all that it is about.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// The stable code.
    pub code: RefusalCode,
    /// What is the matter and what to do next.
    pub message: String,
    /// The path of the argument that it is about, where one is.
    pub field: Option<Vec<String>>,
}

impl Refusal {
    /// A refusal that is about no single argument.
    #[must_use]
    pub fn without_field(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None }
    }

    /// A refusal that is about the argument at `field` (a path with dots, such as `input.id`).
    #[must_use]
    pub fn for_field(field: &str, code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: Some(field.split('.').map(str::to_owned).collect()) }
    }
}
