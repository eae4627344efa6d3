//! The errors of the program and their classification. A refusal that the caller can act on is data
//! ([`crate::refusal`]), not an error.

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// An error that is not a refusal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's input is invalid. The message names the input and states what is accepted.
    #[error("{0}")]
    BadInput(String),
    /// A row that the response needs was deleted during the request. The message names it.
    #[error("{0}")]
    NotFound(String),
    /// The caller's role is insufficient. The message names the required role.
    #[error("{0}")]
    Forbidden(String),
    /// The database cannot be reached or accepts no more connections. The driver does not distinguish the two. A retry
    /// may succeed.
    #[error(
        "The database cannot be reached. Check that it runs, that DATABASE_URL is correct and that it has a free connection, then try again."
    )]
    Unavailable(#[source] DbErr),
    /// The connection would not be secure: the server's certificate is untrusted, expired or issued for another host,
    /// or the server does not support TLS.
    #[error(
        "The connection to the database cannot be secured: {why}. Check that the host in DATABASE_URL is the one that the server's certificate names, and that sslrootcert names the certificate of the authority that signed it; sslmode=verify-ca does not compare the host's name."
    )]
    Insecure {
        /// The message of the TLS library.
        why: String,
        /// The driver's error.
        #[source]
        source: DbErr,
    },
    /// The database accepts no changes.
    #[error(
        "The database accepts no changes: it is a standby or set to read-only, or its file may not be written. Nothing was changed. Make it writable, or set DATABASE_URL to a database that is."
    )]
    ReadOnly(#[source] DbErr),
    /// The disk is full or failing.
    #[error(
        "The database cannot store more data: its disk is full or failing. Nothing was changed. Free some space, then try again."
    )]
    Storage(#[source] DbErr),
    /// The file is damaged or is not a database.
    #[error(
        "The database file is not an SQLite database, or it is damaged. Check DATABASE_URL. If it is correct, restore the file from a backup."
    )]
    Damaged(#[source] DbErr),
    /// A table is missing. `serve --demo` starts without the internal tables; otherwise, a table may have been dropped.
    #[error("The database lacks a required table. Run `session-admin migrate`, then try again.")]
    MissingTable(#[source] DbErr),
    /// A statement exceeded its timeout.
    #[error("The database took too long to respond, so the request was cancelled. Nothing was changed.")]
    Timeout(#[source] DbErr),
    /// Another transaction held a lock for longer than the lock timeout.
    #[error("Another transaction holds rows or tables that this one needs. Nothing was changed; try again.")]
    LockTimeout(#[source] DbErr),
    /// The database rejected a statement because of a foreign key, a check, a unique index or a trigger.
    #[error("The database refused: {}", .0.message)]
    Refused(#[source] Box<DatabaseMessage>),
    /// The database role lacks a required privilege.
    #[error("The database role lacks a privilege: {}. `session-admin doctor` lists what is missing.", .0.message)]
    MissingGrant(#[source] Box<DatabaseMessage>),
    /// Migrations are pending; the field is their number.
    #[error(
        "{} pending on this database. Run `session-admin migrate` with the same DATABASE_URL: it shows what it would do, and asks before it purges.",
        if *.0 == 1 { "1 migration is".to_owned() } else { format!("{} migrations are", .0) }
    )]
    MigrationsPending(usize),
    /// The database does not meet a requirement of this program.
    #[error("{0}")]
    IncompatibleDatabase(String),
    /// An unclassified database error: a defect of the program or a fault of the machine.
    #[error("The database reported an unexpected error.")]
    Database(#[source] DbErr),
    /// A migration failed. The message of [`migration::Error`] states how to proceed.
    #[error("{0}")]
    Migration(#[source] Box<migration::Error>),
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// The operation that failed.
        what: String,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// Returns the stable code in `extensions.code`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadInput(_) => "BAD_USER_INPUT",
            Self::NotFound(_) => "NOT_FOUND",
            Self::Forbidden(_) => "FORBIDDEN",
            Self::Unavailable(_) | Self::Insecure { .. } | Self::ReadOnly(_) | Self::Storage(_) => "UNAVAILABLE",
            Self::Timeout(_) | Self::LockTimeout(_) => "TIMEOUT",
            Self::MissingTable(_) | Self::MigrationsPending(_) => "MIGRATIONS_PENDING",
            Self::Refused(_)
            | Self::MissingGrant(_)
            | Self::IncompatibleDatabase(_)
            | Self::Damaged(_)
            | Self::Database(_)
            | Self::Migration(_)
            | Self::Io { .. } => "INTERNAL",
        }
    }
}

impl Error {
    /// Returns the message of the underlying error, or the error's own message if there is none.
    #[must_use]
    pub fn database_message(&self) -> String {
        let source = std::error::Error::source(self).map(ToString::to_string);
        source.unwrap_or_else(|| self.to_string())
    }

    /// Returns the message for the operator of the program.
    ///
    /// It includes the message of the database or of the system where the public message omits it. Those messages name
    /// hosts, roles and databases, which callers of the API must not see.
    #[must_use]
    pub fn operator_message(&self) -> String {
        match self {
            Self::Unavailable(source) => format!(
                "The database cannot be reached: {}. Check that it runs, that DATABASE_URL is correct and that it has \
                 a free connection, then try again.",
                source_message(source)
            ),
            Self::Database(source) => {
                format!("The database reported an unexpected error: {}.", source_message(source))
            }
            _ => self.to_string(),
        }
    }

    /// Returns whether the database rejected a value as invalid for its type (PostgreSQL's class 22, data exceptions).
    #[must_use]
    pub fn is_data_exception(&self) -> bool {
        let Self::Database(DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) =
            self
        else {
            return false;
        };
        error
            .as_database_error()
            .and_then(sea_orm::sqlx::error::DatabaseError::code)
            .is_some_and(|code| code.starts_with("22"))
    }
}

impl From<migration::Error> for Error {
    fn from(source: migration::Error) -> Self {
        // A connection fault during a migration has its own variant. `Migration` would present it as a refusal.
        if let migration::Error::Database(fault) = &source
            && let connection_error @ (Self::Unavailable(_) | Self::Insecure { .. }) = classify(fault.clone())
        {
            return connection_error;
        }
        Self::Migration(Box::new(source))
    }
}

impl From<DbErr> for Error {
    fn from(source: DbErr) -> Self {
        classify(source)
    }
}

/// The message for a connection that could not be acquired in time, either because the database does not respond or
/// because all connections are in use.
const NO_CONNECTION: &str = "no connection was available in time";

/// Returns the message of the database or of the system, without the prefixes that the libraries in between add.
fn source_message(source: &DbErr) -> String {
    match source {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => match error.as_ref() {
            SqlxError::Database(reported) => reported.message().to_owned(),
            SqlxError::Io(fault) => fault.to_string(),
            SqlxError::PoolTimedOut => NO_CONNECTION.to_owned(),
            other => other.to_string(),
        },
        DbErr::ConnectionAcquire(_) => NO_CONNECTION.to_owned(),
        other => other.to_string(),
    }
}

/// Classifies a driver error. Every variant that can occur is handled here.
fn classify(source: DbErr) -> Error {
    match &source {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            if let SqlxError::Database(reported) = error.as_ref() {
                let code = reported.code().map(std::borrow::Cow::into_owned).unwrap_or_default();
                let message = reported.message().to_owned();
                let table = reported.table().map(str::to_owned);
                let constraint = reported.constraint().map(str::to_owned);
                return reported_error(&code, DatabaseMessage { message, table, constraint, source });
            }
            if let Some(why) = tls_fault(error) {
                return Error::Insecure { why, source };
            }
            if is_connection_fault(error) {
                return Error::Unavailable(source);
            }
        }
        DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => return Error::Unavailable(source),
        _ => {}
    }
    Error::Database(source)
}

/// A message of the database, copied from the driver's error.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct DatabaseMessage {
    /// The message of the database, without SQL.
    pub message: String,
    /// The unqualified name of the table that the message names.
    pub table: Option<String>,
    /// The constraint that the message names.
    pub constraint: Option<String>,
    /// The driver's error.
    #[source]
    pub source: DbErr,
}

/// Classifies an error that the database reported.
///
/// `code` is an SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) or an extended result code
/// of SQLite (<https://www.sqlite.org/rescode.html>). PostgreSQL's codes have five characters, SQLite's at most four
/// digits.
fn reported_error(code: &str, details: DatabaseMessage) -> Error {
    if let Some(result) = sqlite_result(code) {
        return match result {
            // SQLITE_ERROR covers many faults, so the message decides.
            1 if details.message.starts_with("no such table") => Error::MissingTable(details.source),
            // SQLITE_BUSY, SQLITE_LOCKED
            5 | 6 => Error::LockTimeout(details.source),
            // SQLITE_READONLY
            8 => Error::ReadOnly(details.source),
            // SQLITE_IOERR, SQLITE_FULL
            10 | 13 => Error::Storage(details.source),
            // SQLITE_CORRUPT, SQLITE_NOTADB
            11 | 26 => Error::Damaged(details.source),
            // SQLITE_CANTOPEN
            14 => Error::Unavailable(details.source),
            // SQLITE_CONSTRAINT
            19 => Error::Refused(Box::new(details)),
            _ => Error::Database(details.source),
        };
    }
    match code {
        // lock_not_available, deadlock_detected
        "55P03" | "40P01" => Error::LockTimeout(details.source),
        // query_canceled, transaction_timeout
        "57014" | "25P04" => Error::Timeout(details.source),
        // disk_full, io_error
        "53100" | "58030" => Error::Storage(details.source),
        // read_only_sql_transaction
        "25006" => Error::ReadOnly(details.source),
        // too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped,
        // idle_session_timeout, idle_in_transaction_session_timeout, invalid_catalog_name, invalid_password,
        // invalid_authorization_specification
        "53300" | "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" | "3D000" | "28P01" | "28000" => {
            Error::Unavailable(details.source)
        }
        // undefined_table, invalid_schema_name
        "42P01" | "3F000" => Error::MissingTable(details.source),
        "42501" => Error::MissingGrant(Box::new(details)),
        // connection exceptions
        _ if code.starts_with("08") => Error::Unavailable(details.source),
        // Integrity violations, errors raised by triggers, and statements that are impossible because of a rule or
        // because of a publication without a replica identity for the deleted row.
        _ if code.starts_with("23") || matches!(code, "P0001" | "0A000" | "55000") => Error::Refused(Box::new(details)),
        _ => Error::Database(details.source),
    }
}

/// Returns SQLite's primary result code, which is the low byte of the extended one.
fn sqlite_result(code: &str) -> Option<u32> {
    (code.len() < 5).then(|| code.parse::<u32>().ok()).flatten().map(|number| number & 0xff)
}

/// Returns the TLS fault that prevented a connection. The driver reports some of them as I/O errors.
fn tls_fault(error: &SqlxError) -> Option<String> {
    match error {
        SqlxError::Tls(fault) => Some(fault.to_string()),
        SqlxError::Io(fault) => fault.get_ref()?.downcast_ref::<rustls::Error>().map(ToString::to_string),
        _ => None,
    }
}

/// Returns whether an error is a fault of the connection itself.
const fn is_connection_fault(error: &SqlxError) -> bool {
    matches!(
        error,
        SqlxError::Io(_)
            | SqlxError::Protocol(_)
            | SqlxError::PoolTimedOut
            | SqlxError::PoolClosed
            | SqlxError::WorkerCrashed
    )
}
