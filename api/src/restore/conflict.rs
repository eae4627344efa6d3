//! The construction of conflicts, and queries whose failure is not an error.

use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, TransactionTrait};

use super::model::Conflict;
use crate::db::Dialect;
use crate::error::{DatabaseMessage, Error};

/// The maximum number of conflicts of each kind.
pub(super) const LISTED: usize = 1_000;

/// Returns a conflict about a whole table, or about the whole restore if `table` is empty.
pub(super) fn table_conflict(table: &str, message: String) -> Conflict {
    Conflict { table: table.to_owned(), key: String::new(), message, deletion_id: None }
}

/// Returns a conflict with the database's own message. It is used if no check explains the failure.
pub(super) fn database_conflict(database_message: &DatabaseMessage) -> Conflict {
    let table = database_message.table.as_deref().unwrap_or_default();
    table_conflict(table, format!("The database refused: {}.", database_message.message))
}

/// Executes a query in a savepoint and returns its rows, or none if the database cannot evaluate it.
///
/// The evaluation fails for an index expression over a column that was not archived, and for types that are no longer
/// comparable. [`database_conflict`] then reports the failure.
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
