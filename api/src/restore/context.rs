//! The context that every step of a restore uses.

use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::archived_table::ArchivedTable;
use super::references::UnarchivedTables;
use crate::db::{Database, Dialect};

/// One deletion's archive and the transaction in which it is restored.
#[derive(Clone, Copy)]
pub(super) struct RestoreContext<'a> {
    /// The transaction, or a savepoint within it.
    pub tx: &'a DatabaseTransaction,
    pub db: &'a Database,
    pub deletion_id: Uuid,
    /// The archived tables of the deletion, each with the live table.
    pub tables: &'a [ArchivedTable],
    /// The tables with unlinked rows that were not archived, by the names that the foreign keys of the live tables use.
    pub unarchived_tables: &'a UnarchivedTables,
}

impl RestoreContext<'_> {
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }
}
