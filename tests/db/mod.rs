//! Tests of failures of the database: the error messages, and the recovery.

mod client_disconnects;
mod database_codes;
mod outage;
pub mod proxy;
mod sqlite_files;
mod sqlite_messages;
mod tls;
mod unreachable;
