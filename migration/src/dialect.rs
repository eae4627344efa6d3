//! The two supported databases and the location of the internal tables in each.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};

use crate::identifier::{qualified_name, quote_identifier};

/// A supported database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    pub(crate) fn from_connection(db: &impl ConnectionTrait) -> Result<Self, DbErr> {
        match db.get_database_backend() {
            DbBackend::Postgres => Ok(Self::Postgres),
            DbBackend::Sqlite => Ok(Self::Sqlite),
            other => Err(DbErr::BackendNotSupported { db: other.as_str(), ctx: "migrations" }),
        }
    }

    /// Returns the quoted name of an internal table.
    ///
    /// On PostgreSQL the internal tables are in a separate schema, which an API that serves `public` does not expose.
    /// SQLite has no schemas, so their names have a prefix there.
    pub(crate) fn internal_table(self, name: &str) -> String {
        match self {
            Self::Postgres => qualified_name(INTERNAL_SCHEMA, name),
            Self::Sqlite => quote_identifier(&format!("{INTERNAL_SCHEMA}_{name}")),
        }
    }
}

/// The schema of the internal tables on PostgreSQL, and the prefix of their names on SQLite.
pub(crate) const INTERNAL_SCHEMA: &str = "session_admin";
