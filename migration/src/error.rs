//! The errors of migrations.

use std::{fmt, path::PathBuf};

use sea_orm::{DbErr, RuntimeErr};

/// The reason why a migration stopped. Its message states the next step.
///
/// Migrations that were applied before the error stay applied, and the next session continues after them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Rows reference parents that do not exist, so the foreign key cannot be created. Migrations never delete such
    /// rows.
    #[error("rows point at parents that do not exist: {}. Correct or delete these rows, then run `session-admin migrate` again; nothing was changed for them", join_orphans(.0))]
    Orphans(Vec<OrphanedRows>),
    /// A table, or on SQLite the database file, stayed locked by other sessions through all retries.
    #[error("{table} stayed locked{}. Run `session-admin migrate` again when it is free; it continues from here", describe_holders(.pids))]
    LockTimeout {
        /// The locked table, or "the database" if the table is unknown, as on SQLite.
        table: String,
        /// The PostgreSQL processes that hold a lock on the table or on a referenced one, if they could be determined.
        pids: Vec<i32>,
    },
    /// The configured schema does not exist.
    #[error("there is no schema {schema:?}. Name the schema of the business tables in the configuration, or create it")]
    MissingSchema {
        /// The schema's name.
        schema: String,
    },
    /// The database has some business tables, but lacks one that is required.
    #[error(
        "the database has some of the business tables, but not {table:?}. Check that the URL and the schema in the configuration are those of the deployment"
    )]
    MissingTable {
        /// The missing table.
        table: String,
    },
    /// A business table lacks a column that is required.
    #[error(
        "{table:?} has no column {column:?}, which is needed to find and delete sessions. Check that the URL and the schema in the configuration are those of the deployment"
    )]
    MissingColumn {
        /// The table's name.
        table: String,
        /// The missing column.
        column: String,
    },
    /// A foreign key cannot be created: the column types differ, or the referenced column is not unique.
    #[error(
        "{table}.{column} cannot reference {referenced_table}: {source}. Give both columns one type and the referenced one a unique key, then run `session-admin migrate` again"
    )]
    CannotReference {
        /// The referencing table.
        table: String,
        /// The referencing column.
        column: String,
        /// The referenced table.
        referenced_table: String,
        /// The database's error.
        source: Box<DbErr>,
    },
    /// The history contains migrations that this build does not know, because a newer version migrated the database.
    #[error("the database was migrated by a newer version (it knows {}). Use that version", .0.join(", "))]
    UnknownMigrations(
        /// The names of the migrations.
        Vec<String>,
    ),
    /// The schema of the internal tables cannot be created, usually because of a missing privilege.
    #[error(
        "the schema session_admin cannot be created: {0}. Run `session-admin migrate` as the owner of the database, or create the schema for its role (CREATE SCHEMA session_admin AUTHORIZATION ...)"
    )]
    CannotCreateSchema(#[source] DbErr),
    /// The queue's schema or the extension hstore cannot be created, because the role lacks a privilege or the server
    /// lacks the extension.
    #[error(
        "the queue of cleanup runs cannot be created: {0}. It needs the schema apalis and the extension hstore: run `session-admin migrate` as a role with CREATE on the database, or have them created (CREATE SCHEMA apalis AUTHORIZATION ...; CREATE EXTENSION hstore SCHEMA apalis) and run it again"
    )]
    CannotCreateQueue(#[source] DbErr),
    /// An SQLite database has another table with a name that the queue requires.
    #[error(
        "the database has a table {table:?}, which is a name that the queue of cleanup runs needs (apalis gives it). Rename that table, then run `session-admin migrate` again"
    )]
    QueueNameConflict {
        /// The existing table.
        table: String,
    },
    /// The role may not read the history of migrations.
    #[error(
        "the history of migrations cannot be read: {0}. Grant the role USAGE on the schema session_admin and SELECT on its tables"
    )]
    CannotReadHistory(#[source] DbErr),
    /// The lock file of an SQLite database cannot be created or locked.
    #[error("the lock file {} cannot be used: {source}. Make its directory writable for this user", path.display())]
    LockFile {
        /// The path of the lock file, which is next to the database.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The connection that holds the session's lock was lost, so another session may have started.
    #[error("the connection that locks out other runs was lost: {0}. Run `session-admin migrate` again")]
    LockLost(#[source] DbErr),
    /// The definition of an SQLite table was not understood, or its changed definition failed a check. The table is
    /// unchanged.
    #[error(
        "the foreign keys of {table} could not be changed: {detail}. Nothing was changed; please report this with the table's definition"
    )]
    TableDefinition {
        /// The table's name.
        table: String,
        /// The part that was not understood, or the check that failed.
        detail: String,
    },
    /// The database rejected a statement for another reason.
    #[error("the database refused: {0}")]
    Database(#[from] DbErr),
}

/// The rows of one reference whose parents do not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrphanedRows {
    /// The referencing table.
    pub table: String,
    /// The referencing columns.
    pub columns: Vec<String>,
    /// The table in which the parents are missing.
    pub referenced_table: String,
    /// The number of rows.
    pub rows: i64,
}

impl fmt::Display for OrphanedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, columns, referenced_table, rows } = self;
        let columns = columns.join(", ");
        write!(f, "{rows} of {table} ({columns}), missing in {referenced_table}")
    }
}

fn join_orphans(orphans: &[OrphanedRows]) -> String {
    orphans.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn describe_holders(pids: &[i32]) -> String {
    if pids.is_empty() {
        return String::new();
    }
    let pids: Vec<_> = pids.iter().map(ToString::to_string).collect();
    format!(" (by the server processes {})", pids.join(", "))
}

/// Returns the database's error code: the SQLSTATE on PostgreSQL, the decimal extended result code on SQLite.
pub(crate) fn database_code(error: &DbErr) -> Option<String> {
    let (DbErr::Exec(RuntimeErr::SqlxError(source))
    | DbErr::Query(RuntimeErr::SqlxError(source))
    | DbErr::Conn(RuntimeErr::SqlxError(source))) = error
    else {
        return None;
    };
    Some(source.as_database_error()?.code()?.into_owned())
}

/// Returns whether another session's lock caused the error, so that a retry may succeed.
pub(crate) fn is_lock_conflict(error: &DbErr) -> bool {
    database_code(error).is_some_and(|code| match code.as_str() {
        // lock_not_available, deadlock_detected
        "55P03" | "40P01" => true,
        // SQLITE_BUSY, SQLITE_LOCKED and their extended codes
        digits if digits.len() < 5 => digits.parse::<u32>().is_ok_and(|n| matches!(n & 0xff, 5 | 6)),
        _ => false,
    })
}
