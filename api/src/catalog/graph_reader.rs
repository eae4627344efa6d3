//! Reading the foreign-key graph.

use sea_orm::ConnectionTrait;

use super::business_tables::SESSIONS;
use super::foreign_key_graph::ForeignKeyGraph;
use super::{postgres, sqlite};
use crate::db::Dialect;
use crate::error::Error;

/// Reads the graph from the sessions' table of `schema`, with one statement.
///
/// # Errors
/// [`Error::IncompatibleDatabase`] if there is no such table; [`Error::Unavailable`], [`Error::Timeout`].
pub async fn load_graph(conn: &impl ConnectionTrait, dialect: Dialect, schema: &str) -> Result<ForeignKeyGraph, Error> {
    load_graph_from(conn, dialect, schema, SESSIONS).await
}

/// Reads the graph from the table `root` of `schema`, with one statement.
///
/// # Errors
/// Returns the errors of [`load_graph`].
pub async fn load_graph_from(
    conn: &impl ConnectionTrait,
    dialect: Dialect,
    schema: &str,
    root: &str,
) -> Result<ForeignKeyGraph, Error> {
    let statement = match dialect {
        Dialect::Postgres => dialect.statement(postgres::SQL, [schema.into(), root.into()]),
        Dialect::Sqlite => dialect.statement(sqlite::SQL, []),
    };
    let row = conn.query_one_raw(statement).await?;
    let document: String = match row {
        Some(row) => row.try_get("", "graph")?,
        None => String::new(),
    };
    let graph = match dialect {
        Dialect::Postgres => postgres::parse(&document, schema),
        Dialect::Sqlite => sqlite::parse(&document, root),
    };
    let graph =
        graph.map_err(|error| Error::IncompatibleDatabase(format!("The catalogue could not be read: {error}")))?;
    graph.ok_or_else(|| dialect.missing_table(schema, root))
}
