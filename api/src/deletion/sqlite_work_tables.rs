//! The temporary tables in which a deletion on SQLite lists its rows.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::catalog::TableId;
use crate::db::Dialect;
use crate::error::Error;

/// Returns the name of the list of a table's rows that are to be deleted.
pub(super) fn gone(table: TableId) -> String {
    format!("temp.session_admin_gone_{table}")
}

/// Returns the name of the list of a table's rows that are to be unlinked.
pub(super) fn changed(table: TableId) -> String {
    format!("temp.session_admin_changed_{table}")
}

/// Executes a statement and returns the number of rows that it changed.
pub(super) async fn affected(transaction: &DatabaseTransaction, sql: String) -> Result<i64, Error> {
    let result = transaction.execute_raw(Dialect::Sqlite.statement(sql, [])).await?;
    Ok(i64::try_from(result.rows_affected()).unwrap_or(i64::MAX))
}
