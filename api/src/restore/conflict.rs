//! Building blocks of conflicts: table-level conflicts, and queries whose failure is not an error.

use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, TransactionTrait};

use super::model::Conflict;
use crate::db::Dialect;
use crate::error::{DatabaseMessage, Error};

/// The most conflicts listed of each kind.
pub(super) const LISTED: usize = 1_000;

/// Returns a conflict about a whole table, or about the whole restore if `table` is empty.
pub(super) fn table_conflict(table: &str, message: String) -> Conflict {
    Conflict { table: table.to_owned(), key: String::new(), message, deletion_id: None }
}

/// Returns the conflict that reports the database's own message. It is used where no check explains the failure.
pub(super) fn database_conflict(message: &DatabaseMessage) -> Conflict {
    let table = message.table.as_deref().unwrap_or_default();
    table_conflict(table, format!("The database refused: {}.", message.message))
}

/// Runs a query in a savepoint and returns its rows, or none if the database cannot evaluate it.
///
/// An index expression over a column that was not archived cannot be read, and types that no longer compare cannot be
/// compared. [`database_conflict`] then reports the failure.
pub(super) async fn query_or_empty(
    tx: &DatabaseTransaction,
    dialect: Dialect,
    sql: String,
) -> Result<Vec<QueryResult>, Error> {
    let savepoint = tx.begin().await?;
    let rows = savepoint.query_all_raw(dialect.statement(sql, [])).await.map_err(Error::from);
    savepoint.rollback().await?;
    match rows {
        Err(Error::Database(_) | Error::Refused(_)) => Ok(Vec::new()),
        other => other,
    }
}
