//! The database migrations of `session-admin`, and the only way to run them.
//!
//! A [`MigrationSession`] applies migrations, one session at a time; `session-admin migrate` opens one.
//! [`list_pending`] and [`list_with_status`] only read, on any connection. The migrator itself is private to this
//! crate, because sea-orm's commands (`fresh`, `reset`, `refresh`, `down`) would drop the tables of an adopted
//! database.
//!
//! A migration can be killed at any time. It leaves a state from which the next session continues.
//!
//! This crate depends on neither `api` nor `entity`. Those change, while a migration must always use the names and
//! rules of the time at which it was written.

mod adoption;
mod context;
mod dialect;
mod error;
mod foreign_key_fix;
mod history;
mod identifier;
mod m20260101_000001_internal_tables;
mod m20260101_000002_schema_as_built;
mod m20260101_000003_first_fix;
mod m20260101_000004_second_fix;
mod m20260101_000005_foreign_key_indexes;
mod m20260101_000006_queue;
mod m20260101_000007_stale_purge;
mod migration_lock;
mod migration_session;
mod migrator;
mod postgres;
mod query;
mod sqlite;

pub use error::{Error, OrphanedRows};
pub use history::{diagnose_lock_timeout, list_pending, list_with_status};
pub use m20260101_000002_schema_as_built::SQLITE as SCHEMA_AS_BUILT_SQLITE;
pub use m20260101_000007_stale_purge::NAME as STALE_PURGE;
pub use migration_session::MigrationSession;
