//! The SQLite part of the migrations.

mod catalog;
mod foreign_key_repair;
mod index_creation;
mod table_definition;
mod tokenizer;
mod transaction;

pub(crate) use catalog::find_table;
pub(crate) use foreign_key_repair::repair_foreign_keys;
pub(crate) use index_creation::create_missing_indexes;
