//! The temporary tables in which a deletion on SQLite lists its rows.

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::catalog::TableId;
use crate::db::Dialect;
use crate::error::Error;

/// Returns the name of the list of a table's rows that are to be deleted.
pub(super) fn deleting_table(table: TableId) -> String {
    format!("temp.session_admin_deleting_{table}")
}

/// Returns the name of the list of a table's rows that are to be unlinked.
pub(super) fn updating_table(table: TableId) -> String {
    format!("temp.session_admin_updating_{table}")
}

/// Returns the name of the list of the values that a table's columns had before they were cleared.
pub(super) fn before_table(table: TableId) -> String {
    format!("temp.session_admin_before_{table}")
}

/// Creates a list with these columns, in place of one that an interrupted transaction may have left.
pub(super) async fn create_list(transaction: &DatabaseTransaction, list: &str, columns: &str) -> Result<(), Error> {
    transaction.execute_unprepared(&format!("DROP TABLE IF EXISTS {list}")).await?;
    let name = list.replace("temp.", "");
    transaction.execute_unprepared(&format!("CREATE TEMP TABLE {name}({columns})")).await?;
    Ok(())
}

/// Drops a list.
pub(super) async fn drop_list(transaction: &DatabaseTransaction, list: &str) -> Result<(), Error> {
    transaction.execute_unprepared(&format!("DROP TABLE {list}")).await?;
    Ok(())
}

/// Executes a statement and returns the number of rows that it changed.
pub(super) async fn execute_counted(transaction: &DatabaseTransaction, sql: String) -> Result<i64, Error> {
    let result = transaction.execute_raw(Dialect::Sqlite.statement(sql, [])).await?;
    Ok(i64::try_from(result.rows_affected()).unwrap_or(i64::MAX))
}
