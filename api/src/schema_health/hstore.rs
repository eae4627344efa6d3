//! The extension hstore, which the queue of cleanup runs needs, out of this role's reach (PostgreSQL).

use sea_orm::ConnectionTrait;

use crate::db::{Dialect, quote};
use crate::error::Error;

const POSTGRES_HSTORE: &str = include_str!("postgres_hstore.sql");

/// A schema that holds hstore, and a role that may not use it.
#[derive(Debug)]
pub struct ClosedHstore {
    role: String,
    schema: String,
}

impl ClosedHstore {
    /// Looks for it; none where the role may use the schema, or the queue is not there.
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

    /// What is the matter.
    #[must_use]
    pub fn message(&self) -> String {
        format!(
            "The role {} may not use the schema {}, which holds the type hstore of the queue's tables: no cleanup run begins.",
            self.role, self.schema
        )
    }

    /// What mends it.
    #[must_use]
    pub fn grant(&self) -> String {
        format!("GRANT USAGE ON SCHEMA {} TO {}", quote(&self.schema), quote(&self.role))
    }
}
