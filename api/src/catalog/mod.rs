//! The catalogue: what the database says of itself.

mod foreign_key_graph;
pub(crate) mod live_table;
mod postgres;
mod sqlite;

use sea_orm::ConnectionTrait;

use crate::db::Dialect;
use crate::error::Error;

pub use foreign_key_graph::{Action, Column, ForeignKey, Grants, Graph, Table, TableId};

/// The sessions' table; every graph starts from it.
pub const SESSIONS: &str = "whatsapp_sessions";

/// The groups' table.
pub const GROUPS: &str = "whatsapp_groups";

/// Reads the graph as it is now, from the sessions' table of `schema` on, in one statement.
///
/// # Errors
/// [`Error::Unsuitable`] where there is no such table; [`Error::Unavailable`], [`Error::Timeout`].
pub async fn read(conn: &impl ConnectionTrait, dialect: Dialect, schema: &str) -> Result<Graph, Error> {
    read_from(conn, dialect, schema, SESSIONS).await
}

/// The same from another table of `schema` on.
///
/// # Errors
/// Those of [`read`].
pub async fn read_from(
    conn: &impl ConnectionTrait,
    dialect: Dialect,
    schema: &str,
    root: &str,
) -> Result<Graph, Error> {
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
    let graph = graph.map_err(|error| Error::Unsuitable(format!("The catalogue could not be read: {error}")))?;
    graph.ok_or_else(|| dialect.missing_table(schema, root))
}
