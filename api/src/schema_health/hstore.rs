//! Detects that the current role may not use the extension hstore, which the job queue needs (PostgreSQL).

use sea_orm::ConnectionTrait;

use crate::db::{Dialect, quote};
use crate::error::Error;

const POSTGRES_HSTORE: &str = include_str!("postgres_hstore.sql");

/// A schema that contains hstore, and a role that may not use it.
#[derive(Debug)]
pub struct InaccessibleHstore {
    role: String,
    schema: String,
}

impl InaccessibleHstore {
    /// Returns the schema if the current role may not use it; none if it may, or there is no queue.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn find(conn: &impl ConnectionTrait, dialect: Dialect) -> Result<Option<Self>, Error> {
        if dialect == Dialect::Sqlite {
            return Ok(None);
        }
        let row = conn.query_one_raw(dialect.statement(POSTGRES_HSTORE, [])).await?;
        let closed = |row: sea_orm::QueryResult| -> Result<Self, Error> {
            Ok(Self { role: row.try_get("", "role_name")?, schema: row.try_get("", "schema_name")? })
        };
        row.map(closed).transpose()
    }

    /// Returns the description of the problem.
    #[must_use]
    pub fn message(&self) -> String {
        format!(
            "The role {} may not use the schema {}, which holds the type hstore of the queue's tables: no cleanup run \
             can start.",
            self.role, self.schema
        )
    }

    /// Returns the statement that repairs it.
    #[must_use]
    pub fn grant(&self) -> String {
        format!("GRANT USAGE ON SCHEMA {} TO {}", quote(&self.schema), quote(&self.role))
    }
}
