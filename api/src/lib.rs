//! Session Admin: shows what deleting a session will do, and does exactly that.
//!
//! A file uses only what stands lower in this list: `cli`; `http`, `graphql`, `schedule`; `worker`; `metrics`; then the domain
//! (`cleanup` and `restore`, which use `deletion`; `gateway`, `group`, `health`, `session`); then `impact`, `catalog`, `access`,
//! `db`, and what all of them share (`config`, `error`, `refusal`, `clock`, `limits`).

mod admission;
pub mod app_state;
pub mod auth;
pub mod catalog;
pub mod cleanup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod conformance;
pub mod db;
pub mod deletion;
pub mod demo;
pub mod error;
pub mod gateway;
pub mod graphql;
pub mod group;
pub mod http;
pub mod idempotency;
pub mod impact;
pub mod limits;
pub mod metrics;
pub mod refusal;
pub mod restore;
pub mod schema_health;
pub mod session;
mod wording;
pub mod worker;
