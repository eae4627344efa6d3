//! The names of the two tables that every host database has.

/// The sessions' table, from which the foreign-key graph starts.
pub const SESSIONS: &str = "whatsapp_sessions";

/// The groups' table.
pub const GROUPS: &str = "whatsapp_groups";
