//! Session Admin, a service that previews what deleting a session does, and then deletes exactly that.
//!
//! A module uses only modules that come later in this list:
//! - entry points: `cli`; `config` and `demo`; `http`; `graphql`;
//! - the server's state: `app_state`; `worker`; `metrics`; `auth`; `admission`; `limits`; `conformance`;
//! - the domain: `cleanup`; `restore`; `deletion`; `gateway`, `group`, `idempotency`, `schema_health` and `session`;
//! - the foundation: `impact`; `catalog`; `db`; `clock` and `error`; `refusal` and `wording`.

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
