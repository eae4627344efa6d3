//! What can go wrong in a migration, and what to do next.

use std::{fmt, path::PathBuf};

use sea_orm::{DbErr, RuntimeErr};

/// Why a migration stopped. Whatever it had done by then stays, and the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Rows whose reference has no parent, so that the foreign key cannot be made. They are never deleted here.
    #[error("rows point at parents that do not exist: {}. Correct or delete these rows, then run `session-admin migrate` again; nothing was changed for them", list(.0))]
    Orphans(Vec<OrphanedRows>),
    /// Somebody else held the table (or, on SQLite, the file) for longer than the retries lasted.
    #[error("{table} stayed locked{}. Run `session-admin migrate` again when it is free; it goes on from here", holders(.pids))]
    LockTimeout {
        /// The table that was waited for; "the database" where none was told, as on SQLite.
        table: String,
        /// The PostgreSQL processes that held a lock on it or on what it references, as far as they could be found.
        pids: Vec<i32>,
    },
    /// The schema that the configuration names is not there.
    #[error("there is no schema {schema:?}. Name the schema of the business tables in the configuration, or create it")]
    MissingSchema {
        /// The schema's name.
        schema: String,
    },
    /// Some business tables are there, but not one that is needed to adopt them.
    #[error(
        "the database has some of the business tables, but not {table:?}. Check that the URL and the schema in the configuration are those of the deployment"
    )]
    MissingTable {
        /// The missing table.
        table: String,
    },
    /// A column is missing that is needed to adopt the database.
    #[error(
        "{table:?} has no column {column:?}, which is needed to find and delete sessions. Check that the URL and the schema in the configuration are those of the deployment"
    )]
    MissingColumn {
        /// The table that is there.
        table: String,
        /// The column that is not.
        column: String,
    },
    /// The reference cannot have a foreign key: the types differ, or the referenced column is not unique.
    #[error(
        "{table}.{column} cannot reference {referenced_table}: {source}. Give both columns one type and the referenced one a unique key, then run `session-admin migrate` again"
    )]
    CannotReference {
        /// The table that holds the reference.
        table: String,
        /// Its column.
        column: String,
        /// The table that is to be referenced.
        referenced_table: String,
        /// What the database said.
        source: Box<DbErr>,
    },
    /// The database's history has migrations that this build does not know.
    #[error("the database was migrated by a newer version (it knows {}). Use that version", .0.join(", "))]
    Newer(
        /// The unknown migrations.
        Vec<String>,
    ),
    /// The role may not create the schema of the project's own tables.
    #[error(
        "the schema session_admin cannot be created: {0}. Run `session-admin migrate` as the owner of the database, or create the schema for its role (CREATE SCHEMA session_admin AUTHORIZATION ...)"
    )]
    CannotCreateSchema(#[source] DbErr),
    /// The role may not create the queue's schema, or the extension that it needs; or the server does not have that.
    #[error(
        "the queue of cleanup runs cannot be made: {0}. It needs the schema apalis and the extension hstore: run `session-admin migrate` as a role with CREATE on the database, or have them made (CREATE SCHEMA apalis AUTHORIZATION ...; CREATE EXTENSION hstore SCHEMA apalis) and run it again"
    )]
    CannotCreateQueue(#[source] DbErr),
    /// An SQLite database has a table with a name that the queue needs.
    #[error(
        "the database has a table {table:?}, which is a name that the queue of cleanup runs needs (apalis gives it). Rename that table, then run `session-admin migrate` again"
    )]
    NameTaken {
        /// The table that is there.
        table: String,
    },
    /// The role may not read the history.
    #[error(
        "the history of migrations cannot be read: {0}. Grant the role USAGE on the schema session_admin and SELECT on its tables"
    )]
    CannotReadHistory(#[source] DbErr),
    /// The file that keeps two runs on one SQLite database apart cannot be made or locked.
    #[error("the lock file {} cannot be used: {source}. Make its directory writable for this user", path.display())]
    LockFile {
        /// The lock file, beside the database.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The connection that holds the run's lock broke, so another run may have begun.
    #[error("the connection that kept other runs away was lost: {0}. Run `session-admin migrate` again")]
    LockLost(#[source] DbErr),
    /// A table of an SQLite database could not be changed with certainty, and was left as it was.
    #[error(
        "the foreign keys of {table} could not be changed: {detail}. Nothing was changed; please report this with the table's definition"
    )]
    Definition {
        /// The table.
        table: String,
        /// What was not as expected.
        detail: String,
    },
    /// Anything else that the database refused.
    #[error("the database refused: {0}")]
    Database(#[from] DbErr),
}

/// Rows of one reference that have no parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanedRows {
    /// The table that holds the reference.
    pub table: String,
    /// Its referencing columns.
    pub columns: Vec<String>,
    /// The table in which the parents are missing.
    pub referenced_table: String,
    /// How many rows there are.
    pub rows: i64,
}

impl fmt::Display for OrphanedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, columns, referenced_table, rows } = self;
        let columns = columns.join(", ");
        write!(f, "{rows} of {table} ({columns}), missing in {referenced_table}")
    }
}

fn list(orphans: &[OrphanedRows]) -> String {
    orphans.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn holders(pids: &[i32]) -> String {
    if pids.is_empty() {
        return String::new();
    }
    let pids: Vec<_> = pids.iter().map(ToString::to_string).collect();
    format!(" (by the server processes {})", pids.join(", "))
}

/// The code that the database gave to an error: PostgreSQL's SQLSTATE, SQLite's extended result code in digits.
pub(crate) fn code(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(source))
    | DbErr::Query(RuntimeErr::SqlxError(source))
    | DbErr::Conn(RuntimeErr::SqlxError(source))) = error
    else {
        return None;
    };
    Some(source.as_database_error()?.code()?.into_owned())
}

/// Whether somebody else's lock was in the way, so that trying again may help.
pub(crate) fn is_lock_conflict(error: &DbErr) -> bool {
    // lock_not_available and deadlock_detected; SQLITE_BUSY and SQLITE_LOCKED with their extended codes.
    code(error).is_some_and(|code| match code.as_str() {
        "55P03" | "40P01" => true,
        digits if digits.len() < 5 => digits.parse::<u32>().is_ok_and(|n| matches!(n & 0xff, 5 | 6)),
        _ => false,
    })
}
