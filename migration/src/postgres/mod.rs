//! The PostgreSQL part of the migrations.

mod catalog;
mod connection_settings;
mod foreign_key_repair;
mod index_creation;
mod lock_retry;

pub(crate) use catalog::{find_table, has_schema};
pub(crate) use connection_settings::configure_connections;
pub(crate) use foreign_key_repair::repair_foreign_keys;
pub(crate) use index_creation::create_missing_indexes;
pub(crate) use lock_retry::find_exclusive_lock;
