//! The database as a part that fails: what is said then, and that it comes back.

mod codes;
mod files;
mod left;
mod outage;
pub mod proxy;
mod sqlite_messages;
mod tls;
mod unreachable;
