//! The settings of a database connection.

use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Clock;

/// Where the database is, and the limits of its use.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `postgres://…` or `sqlite://FILE`. It may contain a password, so `Debug` leaves it out.
    pub url: String,
    /// The schema of the business tables (PostgreSQL).
    pub schema: String,
    /// The most open connections.
    pub max_connections: u32,
    /// The time limit of a read.
    pub query_timeout: Duration,
    /// The time limit of one statement of a deletion.
    pub deletion_timeout: Duration,
    /// The time limit of waiting for a lock.
    pub lock_timeout: Duration,
    /// How long deletions can be restored; with zero, nothing is archived.
    pub archive_retention: TimeDelta,
    /// How long a cleanup run belongs to a worker after its last heartbeat.
    pub run_lease: Duration,
    /// The source of the current time.
    pub clock: Clock,
}

impl DatabaseSettings {
    /// Returns the defaults for the database at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: "public".to_owned(),
            max_connections: 16,
            query_timeout: Duration::from_secs(30),
            deletion_timeout: Duration::from_mins(10),
            lock_timeout: Duration::from_secs(5),
            archive_retention: TimeDelta::days(30),
            run_lease: Duration::from_secs(15),
            clock: Clock::System,
        }
    }
}

impl std::fmt::Debug for DatabaseSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseSettings")
            .field("url", &"[redacted]")
            .field("schema", &self.schema)
            .finish_non_exhaustive()
    }
}
