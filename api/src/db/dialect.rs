//! What differs between PostgreSQL and SQLite in the text of a statement.

use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{DbBackend, Statement, Value};

use crate::error::Error;

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL 14 or later.
    Postgres,
    /// SQLite, in the version built into this program.
    Sqlite,
}

/// Quotes an identifier of the catalogue; the only place where a name enters the text of a statement.
#[must_use]
pub fn quote(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

impl Dialect {
    /// The database that a URL is of.
    ///
    /// # Errors
    /// [`Error::BadInput`] for any other.
    pub fn of_url(url: &str) -> Result<Self, Error> {
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

    /// A business table is not there: more often somebody looks in the wrong place than that there is none.
    #[must_use]
    pub fn missing_table(self, schema: &str, table: &str) -> Error {
        let elsewhere = match self {
            Self::Postgres => format!(
                "There is no table {table} in the schema {schema}. Name the schema that holds it with --schema \
                 (SESSION_ADMIN_SCHEMA)"
            ),
            Self::Sqlite => format!(
                "There is no table {table} in this file. Name the one that holds it with --database-url (DATABASE_URL)"
            ),
        };
        Error::Unsuitable(format!(
            "{elsewhere}; in a database that has none, `session-admin migrate` makes the tables."
        ))
    }

    /// Whether two names are of one column or table: SQLite's are the same in any case.
    #[must_use]
    pub fn same_name(self, one: &str, other: &str) -> bool {
        match self {
            Self::Postgres => one == other,
            Self::Sqlite => one.eq_ignore_ascii_case(other),
        }
    }

    /// sea-orm's name for it.
    #[must_use]
    pub const fn backend(self) -> DbBackend {
        match self {
            Self::Postgres => DbBackend::Postgres,
            Self::Sqlite => DbBackend::Sqlite,
        }
    }

    /// A statement with its values bound.
    pub fn statement(self, sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::from_sql_and_values(self.backend(), sql.into(), values)
    }

    /// A moment as a parameter: a timestamp on PostgreSQL, the same text everywhere on SQLite, so that it sorts.
    #[must_use]
    pub fn time(self, moment: DateTime<Utc>) -> Value {
        match self {
            Self::Postgres => moment.into(),
            Self::Sqlite => moment.to_rfc3339_opts(SecondsFormat::Micros, false).into(),
        }
    }

    /// No moment, as a parameter.
    #[must_use]
    pub const fn no_time(self) -> Value {
        match self {
            Self::Postgres => Value::ChronoDateTimeUtc(None),
            Self::Sqlite => Value::String(None),
        }
    }

    /// Parameter `number`, text, as a UUID; on SQLite ids are text.
    #[must_use]
    pub fn uuid_parameter(self, number: usize) -> String {
        self.as_uuid(&format!("${number}"))
    }

    /// Text as a UUID; on SQLite ids are text.
    #[must_use]
    pub fn as_uuid(self, text: &str) -> String {
        match self {
            Self::Postgres => format!("CAST({text} AS uuid)"),
            Self::Sqlite => text.to_owned(),
        }
    }

    /// Parameter `number`, text, as JSON.
    #[must_use]
    pub fn json_parameter(self, number: usize) -> String {
        match self {
            Self::Postgres => format!("CAST(${number} AS jsonb)"),
            Self::Sqlite => format!("${number}"),
        }
    }

    /// One of this program's own tables: in the schema `session_admin`, or with that prefix.
    #[must_use]
    pub fn own_table(self, name: &str) -> String {
        match self {
            Self::Postgres => format!("session_admin.{}", quote(name)),
            Self::Sqlite => quote(&format!("session_admin_{name}")),
        }
    }

    /// What stands behind FROM for the elements of a JSON array of texts, in the column `value`.
    #[must_use]
    pub fn elements(self, parameter: &str) -> String {
        match self {
            Self::Postgres => format!("jsonb_array_elements_text(CAST({parameter} AS jsonb))"),
            Self::Sqlite => format!("json_each({parameter})"),
        }
    }
}
