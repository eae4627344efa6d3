//! A group.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A row of `whatsapp_groups`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The row's id.
    pub id: Uuid,
    /// The session that the row refers to. In an adopted database it may be null, or refer to a session that does not
    /// exist.
    pub session_id: Option<Uuid>,
    /// The address of the group in the messenger, or `None` if the database has none.
    pub jid: Option<String>,
    /// The name of the group. If the database has none, the address, or otherwise the first eight characters of the id.
    pub name: String,
    /// The stored number of participants, or `None` if the database has none.
    pub participant_count: Option<i64>,
    /// When the row was created.
    pub created_at: Option<DateTime<Utc>>,
    /// When the row was last updated.
    pub updated_at: Option<DateTime<Utc>>,
}
