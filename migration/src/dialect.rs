//! The two databases, and the few things that every migration needs from either.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

/// A database that is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    pub(crate) fn of(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        match db.get_database_backend() {
            DbBackend::Postgres => Ok(Self::Postgres),
            DbBackend::Sqlite => Ok(Self::Sqlite),
            other => Err(DbErr::BackendNotSupported { db: other.as_str(), ctx: "migrations" }),
        }
    }

    /// One of the project's own tables, ready for SQL: in a schema of its own on PostgreSQL, out of reach of whatever
    /// API serves `public`; under a prefix on SQLite, which has no schemas.
    pub(crate) fn own_table(self, name: &str) -> String {
        match self {
            Self::Postgres => qualified(OWN_SCHEMA, name),
            Self::Sqlite => quote(&format!("{OWN_SCHEMA}_{name}")),
        }
    }
}

/// PostgreSQL's schema of the project's own tables, and their prefix on SQLite.
pub(crate) const OWN_SCHEMA: &str = "session_admin";

/// A name from the catalogue, ready for SQL; both databases quote alike.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table in a PostgreSQL schema, ready for SQL.
pub(crate) fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", quote(schema), quote(table))
}

/// Names joined for a list of columns, ready for SQL.
pub(crate) fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quote).collect::<Vec<_>>().join(", ")
}

/// The rows that a query with bound values gives.
pub(crate) async fn rows<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    db.query_all_raw(statement).await
}

/// Runs one statement with bound values; gives the number of rows that it changed.
pub(crate) async fn run<const N: usize>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<u64, DbErr> {
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(db.execute_raw(statement).await?.rows_affected())
}

/// The number in the column `n` of a query's one row.
pub(crate) async fn number(db: &impl ConnectionTrait, sql: &str) -> Result<i64, DbErr> {
    let row = rows(db, sql, []).await?.into_iter().next();
    row.ok_or_else(|| DbErr::RecordNotFound(sql.to_owned()))?.try_get("", "n")
}
