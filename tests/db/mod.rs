//! The database as a part that fails: what is said then, and that it comes back.

mod client_disconnects;
mod database_codes;
mod outage;
pub mod proxy;
mod sqlite_files;
mod sqlite_messages;
mod tls;
mod unreachable;
