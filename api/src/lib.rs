//! Session Admin: shows what deleting a session will do, and does exactly that.
//!
//! A file uses only what stands lower in this list: `cli`; `http`, `graphql`; `worker`; then the domain (`cleanup`, which
//! uses `deletion`; `group`, `health`, `session`); then `impact`, `catalog`, `db`, and what all of them share (`config`,
//! `error`, `refusal`, `clock`).

pub mod catalog;
pub mod cleanup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod deletion;
pub mod demo;
pub mod error;
pub mod graphql;
pub mod group;
pub mod health;
pub mod http;
pub mod impact;
pub mod refusal;
pub mod session;
pub mod worker;
