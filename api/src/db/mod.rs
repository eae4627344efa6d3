//! The database: connections, and the one boundary behind which PostgreSQL and SQLite differ.

mod column_cache;
mod column_loader;
mod database;
mod database_settings;
mod dialect;
mod ids;
pub mod pagination;
mod parameters;
pub(crate) mod pg_text;
mod pool;
mod sql_value;
mod table_columns;
pub mod text_search;
mod write_transaction;

pub use database::Database;
pub use database_settings::DatabaseSettings;
pub use dialect::{Dialect, quote};
pub use ids::{distinct, ids_parameter};
pub use parameters::BindParams;
pub use sql_value::SqlValue;
pub use table_columns::TableColumns;
pub use write_transaction::WriteTransaction;
