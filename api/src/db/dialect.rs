//! The differences between PostgreSQL and SQLite in the text of a statement.

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{DbBackend, Statement, Value};

use crate::error::Error;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL 14 or later.
    Postgres,
    /// SQLite, in the version that this program contains.
    Sqlite,
}

/// Quotes an identifier. Names enter the text of a statement only through this function.
#[must_use]
pub fn quote(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

impl Dialect {
    /// Returns the dialect of the database at a URL.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a URL of another database.
    pub fn from_url(url: &str) -> Result<Self, Error> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres)
        } else if url.starts_with("sqlite:") {
            Ok(Self::Sqlite)
        } else {
            Err(Error::BadInput(
                "DATABASE_URL is neither PostgreSQL's (postgres://user@host/name) nor SQLite's (sqlite://file.db)."
                    .to_owned(),
            ))
        }
    }

    /// Returns the error for a missing business table. The usual cause is a wrong schema or file, so the message names
    /// the option.
    #[must_use]
    pub fn missing_table(self, schema: &str, table: &str) -> Error {
        let hint = match self {
            Self::Postgres => format!(
                "There is no table {table} in the schema {schema}. Name the schema that contains it with --schema \
                 (SESSION_ADMIN_SCHEMA)"
            ),
            Self::Sqlite => format!(
                "There is no table {table} in this file. Name the file that contains it with --database-url \
                 (DATABASE_URL)"
            ),
        };
        Error::IncompatibleDatabase(format!(
            "{hint}. In an empty database, `session-admin migrate` creates the tables."
        ))
    }

    /// Returns whether two names denote the same column or table. SQLite ignores case.
    #[must_use]
    pub fn is_same_name(self, one: &str, other: &str) -> bool {
        match self {
            Self::Postgres => one == other,
            Self::Sqlite => one.eq_ignore_ascii_case(other),
        }
    }

    /// Returns sea-orm's backend.
    #[must_use]
    pub const fn backend(self) -> DbBackend {
        match self {
            Self::Postgres => DbBackend::Postgres,
            Self::Sqlite => DbBackend::Sqlite,
        }
    }

    /// Returns a statement with its parameters bound.
    pub fn statement(self, sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.backend(), sql.into(), values)
    }

    /// Returns a time as a parameter: a timestamp on PostgreSQL, text of one format on SQLite, so that it sorts.
    #[must_use]
    pub fn timestamp_param(self, time: DateTime<Utc>) -> Value {
        match self {
            Self::Postgres => time.into(),
            Self::Sqlite => time.to_rfc3339_opts(SecondsFormat::Micros, false).into(),
        }
    }

    /// Returns a null time as a parameter.
    #[must_use]
    pub const fn null_timestamp_param(self) -> Value {
        match self {
            Self::Postgres => Value::ChronoDateTimeUtc(None),
            Self::Sqlite => Value::String(None),
        }
    }

    /// Returns parameter `number`, a text, as a UUID. On SQLite ids are text.
    #[must_use]
    pub fn uuid_parameter(self, number: usize) -> String {
        self.cast_uuid(&format!("${number}"))
    }

    /// Casts a text to a UUID. On SQLite ids are text.
    #[must_use]
    pub fn cast_uuid(self, text: &str) -> String {
        match self {
            Self::Postgres => format!("CAST({text} AS uuid)"),
            Self::Sqlite => text.to_owned(),
        }
    }

    /// Returns parameter `number`, a text, as JSON.
    #[must_use]
    pub fn json_parameter(self, number: usize) -> String {
        match self {
            Self::Postgres => format!("CAST(${number} AS jsonb)"),
            Self::Sqlite => format!("${number}"),
        }
    }

    /// Returns the SQL name of one of this program's internal tables: in the schema `session_admin` on PostgreSQL, with
    /// that prefix on SQLite.
    #[must_use]
    pub fn internal_table(self, name: &str) -> String {
        match self {
            Self::Postgres => format!("session_admin.{}", quote(name)),
            Self::Sqlite => quote(&format!("session_admin_{name}")),
        }
    }

    /// Returns a FROM item with the elements of a JSON array of texts in its column `value`.
    #[must_use]
    pub fn json_elements(self, parameter: &str) -> String {
        match self {
            Self::Postgres => format!("jsonb_array_elements_text(CAST({parameter} AS jsonb))"),
            Self::Sqlite => format!("json_each({parameter})"),
        }
    }
}
