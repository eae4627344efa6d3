//! The schema's types, which wrap the types of the domain.

mod cleanup;
mod cleanup_criteria;
mod connection;
mod date_time;
mod deletion;
mod deletion_filter;
mod gateway;
mod group;
mod group_filter;
mod health;
mod impact;
mod node;
mod order_direction;
mod restore;
mod session;
mod session_filter;
mod total_count;
mod user_error;
mod viewer;

pub use cleanup::{
    CancelCleanupRunPayload, CleanUpSessionsPayload, CleanupPreview, CleanupRunKind, CleanupRunStatus, SkippedSession,
};
pub use cleanup_criteria::CleanupCriteria;
pub use connection::{Connection, Edge, PageInfo};
pub use date_time::DateTime;
pub use deletion::{DeleteSessionPayload, DeletedSession, DeletionStatus, EraseDeletionArchivePayload};
pub use deletion_filter::DeletionFilter;
pub use gateway::{GatewaySessionState, GatewayState};
pub use group::GroupReference;
pub(in crate::graphql) use group_filter::group_part;
pub use group_filter::{GroupFilter, GroupOrder, GroupOrderField};
pub use health::{ForeignKey, SchemaFinding, SchemaFindingCode, SchemaFix, SchemaHealth, Severity};
pub use impact::{
    BlockerKind, DeletionBlocker, DeletionImpact, ForeignKeyAction, ImpactChange, ReferenceImpact, TableImpact,
};
pub use node::{CleanupRun, Deletion, Group, Node, Session};
pub use order_direction::OrderDirection;
pub use restore::{RestoreCleanupRunPayload, RestoreConflict, RestoreDeletionPayload};
pub use session::{SessionStats, SessionStatus, SessionStatusCount};
pub use session_filter::{SessionFilter, SessionOrder, SessionOrderField};
pub use total_count::TotalCount;
pub use user_error::{UserError, UserErrorCode};
pub use viewer::{Role, Viewer};
