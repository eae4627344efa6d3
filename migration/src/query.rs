//! The execution of single statements with bound values.

use sea_orm::{ConnectionTrait, DbErr, QueryResult, Statement, Value};

/// Executes a query and returns its rows.
pub(crate) async fn fetch_rows<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.query_all_raw(statement).await
}

/// Executes a query that returns one row, and returns its column `n`.
pub(crate) async fn fetch_number(db: &impl ConnectionTrait, sql: &str) -> Result<i64, DbErr> {
    let row = fetch_rows(db, sql, []).await?.into_iter().next();
    row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?.try_get("", "n")
}

/// Executes a statement and returns the number of rows that it changed.
pub(crate) async fn execute<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(db.execute_raw(statement).await?.rows_affected())
}
