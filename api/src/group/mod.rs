//! Groups: reading them, whatever columns an adopted database has, and what refers to them.

mod filter;
pub mod queries;
pub mod reference_counts;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use filter::Filter;

/// A row of `whatsapp_groups`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The row's id.
    pub id: Uuid,
    /// The session that the row names; an adopted database may let it be null, or name a session that is gone.
    pub session_id: Option<Uuid>,
    /// The messenger's own address of the group; none where the database has none.
    pub jid: Option<String>,
    /// The group's name; its address or the id's first eight characters where the database has no name.
    pub name: String,
    /// People in the group, as last counted; none where the database does not say.
    pub participant_count: Option<i64>,
    /// When the row was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When the row was last changed.
    pub updated_at: Option<DateTime<Utc>>,
}
