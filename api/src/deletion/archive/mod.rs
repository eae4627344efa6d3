//! The archive: every row that a deletion takes and every reference that it clears, kept in its own transaction by the
//! database itself, so that no row passes through this program.
//!
//! A value is kept as the database's own text of it on PostgreSQL, in an array a row, and as what it is on SQLite, in
//! columns without a type. Tables that a host adds, and its changes to others, meet nothing of that form.

#[allow(dead_code, reason = "restore reads archives through it as soon as both branches are merged")]
pub(crate) mod entries;
pub(crate) mod erasure;
pub(crate) mod erasure_hook;
mod layout;
pub(crate) mod postgres;
pub(crate) mod retention;
pub(super) mod sqlite;
pub(super) mod writer;

pub(crate) use layout::{KeptColumn, References, Rows};
