//! The schema's history, and the one way to run it.
//!
//! A [`Session`] is an exclusive run; `session-admin migrate` opens one. [`pending`] and [`status`] only read, on any
//! connection. sea-orm's own commands (`fresh`, `reset`, `refresh`, `down`) would drop the tables of an adopted
//! deployment, so the migrator that has them stays inside this crate.
//!
//! Every step may be killed at any moment: what it did so far is a state that the next run recognises and goes on from.
//!
//! This crate knows nothing of `api` and `entity`, which move on: the names and rules in a migration are what they were
//! when it was written.

mod adoption;
mod context;
mod dialect;
mod error;
mod foreign_key_fix;
mod history;
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
mod sqlite;

pub use error::{Error, OrphanedRows};
pub use history::{locked, pending, status};
pub use m20260101_000002_schema_as_built::SQLITE as SCHEMA_AS_BUILT_SQLITE;
pub use m20260101_000007_stale_purge::NAME as STALE_PURGE;
pub use migration_session::Session;
