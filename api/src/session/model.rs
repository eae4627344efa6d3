//! A session.

use chrono::{DateTime, Utc};
use entity::session_status::SessionStatus;
use serde::Serialize;
use uuid::Uuid;

/// A row of `whatsapp_sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The row's id.
    pub id: Uuid,
    /// The session's name; the phone number, or the first eight characters of the id, if the database has no name.
    pub name: String,
    /// The status as stored.
    pub raw_status: String,
    /// The phone number; none until a phone has been paired.
    pub phone_number: Option<String>,
    /// When the row was created.
    pub created_at: Option<DateTime<Utc>>,
    /// When the row was last updated.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Session {
    /// Returns the status as the API defines it.
    #[must_use]
    pub fn status(&self) -> SessionStatus {
        SessionStatus::from_raw(&self.raw_status)
    }

    /// Returns whether the session is not connected and has never been paired.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.phone_number.is_none() && SessionStatus::STALE.contains(&self.status())
    }
}
