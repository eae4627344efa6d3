//! The refusals of mutations, which are returned as data.
//!

use async_graphql::{Enum, SimpleObject};

use crate::refusal::{Refusal, RefusalCode};

/// A refusal the caller can act on; one per code, its message naming all that it is about. Anything else is a GraphQL error with extensions.code.
#[derive(Debug, SimpleObject)]
pub struct UserError {
    /// The stable code.
    code: UserErrorCode,
    /// What is the matter and what to do next.
    message: String,
    /// The path of the argument that it is about, where it is about one.
    field: Option<Vec<String>>,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code.into(), message: refusal.message, field: refusal.field }
    }
}

/// The stable codes of refusals.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserErrorCode {
    /// What was named does not exist, or no longer.
    NotFound,
    /// A session among them is connected now, and that was not allowed.
    SessionConnected,
    /// Messages that are still to be sent would go, and that was not allowed.
    PendingMessages,
    /// A foreign key, or what else the database enforces, refuses.
    BlockedByForeignKey,
    /// The impact is not the one that was looked at; changes says where.
    ImpactChanged,
    /// More rows than atMost would be deleted.
    TooManyRows,
    /// The gateway says otherwise of the session than the database does.
    GatewayDisagrees,
    /// The session no longer meets the criteria.
    NoLongerMatches,
    /// Another transaction held rows for too long; try again.
    LockTimeout,
    /// The same idempotency key came with other input.
    IdempotencyKeyReused,
    /// The deletion has been restored already.
    AlreadyRestored,
    /// What the deletion kept has expired, was erased, or was never kept.
    ArchiveGone,
    /// Something stands in the way of rows that would be put back; conflicts says what.
    RestoreConflict,
    /// The run has finished, so there is nothing to cancel.
    RunFinished,
}

impl From<RefusalCode> for UserErrorCode {
    fn from(code: RefusalCode) -> Self {
        match code {
            RefusalCode::NotFound => Self::NotFound,
            RefusalCode::SessionConnected => Self::SessionConnected,
            RefusalCode::PendingMessages => Self::PendingMessages,
            RefusalCode::BlockedByForeignKey => Self::BlockedByForeignKey,
            RefusalCode::ImpactChanged => Self::ImpactChanged,
            RefusalCode::TooManyRows => Self::TooManyRows,
            RefusalCode::NoLongerMatches => Self::NoLongerMatches,
            RefusalCode::LockTimeout => Self::LockTimeout,
            RefusalCode::IdempotencyKeyReused => Self::IdempotencyKeyReused,
            RefusalCode::GatewayDisagrees => Self::GatewayDisagrees,
            RefusalCode::AlreadyRestored => Self::AlreadyRestored,
            RefusalCode::ArchiveGone => Self::ArchiveGone,
            RefusalCode::RestoreConflict => Self::RestoreConflict,
            RefusalCode::RunFinished => Self::RunFinished,
        }
    }
}
