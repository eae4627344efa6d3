//! The archive: every row that a deletion deletes and every reference that it clears, stored in the same transaction by
//! the database itself, so that no row passes through this program.
//!
//! On PostgreSQL a row is an array of texts, each value as its type's output function writes it. On SQLite a row is a
//! row of untyped columns, each value as it is. Neither form depends on the host's tables, which may be added and
//! altered freely.

pub(crate) mod entries;
pub(crate) mod erasure;
pub(crate) mod erasure_hook;
mod layout;
pub(crate) mod postgres;
pub(crate) mod retention;
pub(super) mod sqlite;
pub(super) mod writer;

pub(crate) use layout::{ArchivedColumn, ReferenceLayout, RowLayout};
