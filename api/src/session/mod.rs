//! Sessions: reading them, whatever columns an adopted database has.

mod filter;
pub mod queries;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

pub use entity::session_status::SessionStatus;
pub use filter::Filter;

/// A row of `whatsapp_sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The row's id.
    pub id: Uuid,
    /// The session's name; the phone number or the id's first eight characters where the database has no name.
    pub name: String,
    /// The status as it is stored.
    pub raw_status: String,
    /// The phone number; none until a phone has been paired.
    pub phone_number: Option<String>,
    /// When the row was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When the row was last changed.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Session {
    /// The status as this API knows it.
    #[must_use]
    pub fn status(&self) -> SessionStatus {
        SessionStatus::from_raw(&self.raw_status)
    }

    /// Not connected and never paired.
    #[must_use]
    pub fn stale(&self) -> bool {
        self.phone_number.is_none() && SessionStatus::STALE.contains(&self.status())
    }
}
