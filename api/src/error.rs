//! What can go wrong, classified once. Refusals that a caller can act on are data ([`crate::refusal`]), not errors.

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// Anything that is not a refusal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller's input is wrong; the message names what, and says what is accepted.
    #[error("{0}")]
    BadInput(String),
    /// Something that an answer needs was deleted while it was being made; the message says what.
    #[error("{0}")]
    NotFound(String),
    /// The caller's role is not enough; the message says which one is.
    #[error("{0}")]
    Forbidden(String),
    /// The database cannot be reached, or takes no more connections, which the driver does not tell apart; trying again
    /// later may work.
    #[error(
        "The database cannot be reached. Check that it runs, that DATABASE_URL is right and that it has a connection to spare, then try again."
    )]
    Unavailable(#[source] DbErr),
    /// The connection would not be secure: the server's certificate is not trusted, is another host's or has expired, or
    /// the server has no TLS.
    #[error(
        "The connection to the database cannot be secured: {why}. Check that the host in DATABASE_URL is the one that the server's certificate names, and that sslrootcert names the certificate of the authority that signed it; sslmode=verify-ca does not compare the host's name."
    )]
    Insecure {
        /// What TLS said.
        why: String,
        /// The driver's error.
        #[source]
        source: DbErr,
    },
    /// The database accepts no changes.
    #[error(
        "The database accepts no changes: it is a standby or set to read-only, or its file may not be written. Nothing was changed. Make it writable, or name one that is in DATABASE_URL."
    )]
    ReadOnly(#[source] DbErr),
    /// The disk is full, or fails.
    #[error(
        "The database cannot store anything more: its disk is full or fails. Nothing was changed. Make room, then try again."
    )]
    Storage(#[source] DbErr),
    /// The file is damaged, or was never a database.
    #[error(
        "The database's file is no SQLite database, or it is damaged. Check DATABASE_URL; if it is right, restore the file from a backup."
    )]
    Damaged(#[source] DbErr),
    /// A table is not there: `serve --demo` begins without this program's own, and somebody may have dropped one.
    #[error("The database lacks a table that is needed. Run `session-admin migrate`, then try again.")]
    MissingTable(#[source] DbErr),
    /// A statement took longer than its limit.
    #[error("The database took too long to answer, so the request was given up. Nothing was changed.")]
    Timeout(#[source] DbErr),
    /// Somebody else held a lock for longer than the limit.
    #[error("Another transaction holds rows or tables that this one needs. Nothing was changed; try again.")]
    LockTimeout(#[source] DbErr),
    /// The database refused because of a foreign key, a check, a unique index or a trigger.
    #[error("The database refused: {}", .0.message)]
    Refused(#[source] Box<DatabaseMessage>),
    /// The role may not do what is needed.
    #[error("The database role lacks a privilege: {}. `session-admin doctor` lists what is missing.", .0.message)]
    MissingGrant(#[source] Box<DatabaseMessage>),
    /// So many changes of the schema have not been made yet.
    #[error(
        "{} pending on this database. Run `session-admin migrate` with the same DATABASE_URL: it shows what it would do, and asks before it purges.",
        if *.0 == 1 { "1 migration is".to_owned() } else { format!("{} migrations are", .0) }
    )]
    MigrationsPending(usize),
    /// The database is not what this program needs.
    #[error("{0}")]
    IncompatibleDatabase(String),
    /// The rest: a defect, or a fault of the machine.
    #[error("The database reported an error that has no better name.")]
    Database(#[source] DbErr),
    /// The migration's own errors say what to do.
    #[error("{0}")]
    Migration(#[source] Box<migration::Error>),
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// The stable code in `extensions.code`.
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
    /// What the database said, where it is more than the class.
    #[must_use]
    pub fn database_message(&self) -> String {
        let source = std::error::Error::source(self).map(ToString::to_string);
        source.unwrap_or_else(|| self.to_string())
    }

    /// The error for whoever runs the program, with the database's or the system's own words where the class hides them. They
    /// name hosts, roles and databases, which are no business of the API's callers.
    #[must_use]
    pub fn operator_message(&self) -> String {
        match self {
            Self::Unavailable(source) => format!(
                "The database cannot be reached: {}. Check that it runs, that DATABASE_URL is right and that it has a \
                 connection to spare, then try again.",
                words(source)
            ),
            Self::Database(source) => {
                format!("The database reported an error that has no better name: {}.", words(source))
            }
            _ => self.to_string(),
        }
    }

    /// Whether a value was not what its type takes: PostgreSQL's class 22, data exceptions.
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
        // The migration's own words would be of a refusal.
        if let migration::Error::Database(fault) = &source
            && let away @ (Self::Unavailable(_) | Self::Insecure { .. }) = classify(fault.clone())
        {
            return away;
        }
        Self::Migration(Box::new(source))
    }
}

impl From<DbErr> for Error {
    fn from(source: DbErr) -> Self {
        classify(source)
    }
}

/// What is said where nobody answers, or all connections are in use.
const NO_CONNECTION: &str = "no connection was to be had in time";

/// What the database or the system said, without what the libraries between say of themselves.
fn words(source: &DbErr) -> String {
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

/// Gives a driver's error its class. Every variant of the driver's error that can reach us is decided here.
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

/// What the database said, copied out of the driver's error.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct DatabaseMessage {
    /// The database's own sentence, without SQL.
    pub message: String,
    /// The table it names, bare.
    pub table: Option<String>,
    /// The constraint it names.
    pub constraint: Option<String>,
    /// The driver's error.
    #[source]
    pub source: DbErr,
}

/// SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) or SQLite's extended result code
/// (<https://www.sqlite.org/rescode.html>). PostgreSQL's have five characters, SQLite's at most four digits.
fn reported_error(code: &str, said: DatabaseMessage) -> Error {
    if let Some(result) = sqlite_result(code) {
        return match result {
            // SQLITE_ERROR, which is many things
            1 if said.message.starts_with("no such table") => Error::MissingTable(said.source),
            // SQLITE_BUSY, SQLITE_LOCKED
            5 | 6 => Error::LockTimeout(said.source),
            // SQLITE_READONLY
            8 => Error::ReadOnly(said.source),
            // SQLITE_IOERR, SQLITE_FULL
            10 | 13 => Error::Storage(said.source),
            // SQLITE_CORRUPT, SQLITE_NOTADB
            11 | 26 => Error::Damaged(said.source),
            // SQLITE_CANTOPEN
            14 => Error::Unavailable(said.source),
            // SQLITE_CONSTRAINT
            19 => Error::Refused(Box::new(said)),
            _ => Error::Database(said.source),
        };
    }
    match code {
        // lock_not_available, deadlock_detected
        "55P03" | "40P01" => Error::LockTimeout(said.source),
        // query_canceled, transaction_timeout
        "57014" | "25P04" => Error::Timeout(said.source),
        // disk_full, io_error
        "53100" | "58030" => Error::Storage(said.source),
        // read_only_sql_transaction
        "25006" => Error::ReadOnly(said.source),
        // too_many_connections, admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped, idle_session_timeout,
        // idle_in_transaction_session_timeout, invalid_catalog_name, and what refuses a login
        "53300" | "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" | "3D000" | "28P01" | "28000" => {
            Error::Unavailable(said.source)
        }
        // undefined_table, invalid_schema_name
        "42P01" | "3F000" => Error::MissingTable(said.source),
        "42501" => Error::MissingGrant(Box::new(said)),
        // connection exceptions
        _ if code.starts_with("08") => Error::Unavailable(said.source),
        // integrity violations, errors raised by triggers
        // A rule, or a publication that cannot tell the row that goes, makes a statement impossible.
        _ if code.starts_with("23") || matches!(code, "P0001" | "0A000" | "55000") => Error::Refused(Box::new(said)),
        _ => Error::Database(said.source),
    }
}

/// SQLite's primary result code, which is the low byte of the extended one.
fn sqlite_result(code: &str) -> Option<u32> {
    (code.len() < 5).then(|| code.parse::<u32>().ok()).flatten().map(|number| number & 0xff)
}

/// What TLS says of a connection that it did not let be made; the driver has it as an error of input and output.
fn tls_fault(error: &SqlxError) -> Option<String> {
    match error {
        SqlxError::Tls(fault) => Some(fault.to_string()),
        SqlxError::Io(fault) => fault.get_ref()?.downcast_ref::<rustls::Error>().map(ToString::to_string),
        _ => None,
    }
}

/// Faults of the connection itself, as the driver names them.
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
