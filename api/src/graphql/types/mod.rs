//! The schema's types: thin shapes over the domain's own.

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
mod restore;
mod session;
mod session_filter;
mod total_count;
mod user_error;
mod viewer;

pub use cleanup::{
    CancelCleanupRunPayload, CleanUpSessionsPayload, CleanupPreview, CleanupRun, CleanupRunKind, CleanupRunStatus,
    SkippedSession,
};
pub use cleanup_criteria::CleanupCriteria;
pub use connection::{Connection, Edge, PageInfo};
pub use date_time::DateTime;
pub use deletion::{DeleteSessionPayload, DeletedSession, Deletion, DeletionStatus, EraseDeletionArchivePayload};
pub use deletion_filter::DeletionFilter;
pub use gateway::{GatewaySessionState, GatewayState};
pub use group::{Group, GroupReference};
pub(in crate::graphql) use group_filter::part;
pub use group_filter::{GroupFilter, GroupOrder, GroupOrderField};
pub use health::{ForeignKey, SchemaFinding, SchemaFindingCode, SchemaFix, SchemaHealth, Severity};
pub use impact::{
    BlockerKind, DeletionBlocker, DeletionImpact, ForeignKeyAction, ImpactChange, ReferenceImpact, TableImpact,
};
pub use node::Node;
pub use restore::{RestoreCleanupRunPayload, RestoreConflict, RestoreDeletionPayload};
pub use session::{Session, SessionStats, SessionStatus, SessionStatusCount};
pub use session_filter::{OrderDirection, SessionFilter, SessionOrder, SessionOrderField};
pub use total_count::Total;
pub use user_error::{UserError, UserErrorCode};
pub use viewer::{Role, Viewer};
