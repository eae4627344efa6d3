//! The schema's types: thin shapes over the domain's own.

mod connection;
mod date_time;
mod deletion;
mod health;
mod impact;
mod node;
mod session;
mod user_error;

pub use connection::PageInfo;
pub use date_time::DateTime;
pub use deletion::{DeleteSessionPayload, DeletedSession, Deletion, DeletionStatus};
pub use health::{ForeignKey, SchemaFinding, SchemaFindingCode, SchemaFix, SchemaHealth, Severity};
pub use impact::{
    BlockerKind, DeletionBlocker, DeletionImpact, ForeignKeyAction, ImpactChange, ReferenceImpact, TableImpact,
};
pub use node::Node;
pub use session::{Session, SessionConnection, SessionEdge, SessionStatus};
pub use user_error::{UserError, UserErrorCode};
