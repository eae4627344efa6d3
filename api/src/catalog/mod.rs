//! The database's catalog: its tables, and the foreign keys between them.

mod business_tables;
mod foreign_key_graph;
mod graph_reader;
pub(crate) mod live_table;
mod postgres;
mod sqlite;

pub use business_tables::{GROUPS, SESSIONS};
pub use foreign_key_graph::{Action, Column, ForeignKey, ForeignKeyGraph, Grants, Table, TableId};
pub use graph_reader::{load_graph, load_graph_from};
