//! What can be read beside a run: which migrations have been applied, and who is in the way.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};

use crate::{
    Error,
    adoption::TABLES,
    dialect::{Dialect, OWN_SCHEMA, rows},
    error::code,
    migrator::Migrator,
    postgres,
};

/// The names of the migrations that have not been applied, in the order in which they will be.
///
/// Only reads: nothing is created, so a role without any right to change the schema may ask. The connection's search
/// path does not matter.
///
/// # Errors
///
/// [`Error::Newer`] if the database knows migrations that this build does not; [`Error::CannotReadHistory`] if the role
/// may not read it; [`Error::Database`] otherwise.
pub async fn pending(db: &DatabaseConnection) -> Result<Vec<String>, Error> {
    let status = status(db).await?;
    Ok(status.into_iter().filter(|(_, applied)| !applied).map(|(name, _)| name).collect())
}

/// All migrations in order, each with whether it has been applied. Only reads, like [`pending`].
///
/// # Errors
///
/// As for [`pending`].
pub async fn status(db: &DatabaseConnection) -> Result<Vec<(String, bool)>, Error> {
    let dialect = Dialect::of(db)?;
    let applied = applied(db, dialect).await?;
    let known = Migrator::new(dialect, "").names();
    let unknown: Vec<_> = applied.iter().filter(|name| !known.contains(name)).cloned().collect();
    if !unknown.is_empty() {
        return Err(Error::Newer(unknown));
    }
    let applied: HashSet<_> = applied.into_iter().collect();
    Ok(known.into_iter().map(|name| (name.clone(), applied.contains(&name))).collect())
}

/// Who keeps a business table locked so that it cannot be read, as the error that says so; none where nobody does, and on
/// SQLite. For a caller whose own statement has waited for a lock in vain.
pub async fn locked(db: &DatabaseConnection, schema: &str) -> Option<Error> {
    if Dialect::of(db).ok()? == Dialect::Sqlite {
        return None;
    }
    // Only a help: the caller has an error already.
    let (table, pids) = postgres::unreadable(db, schema, &TABLES).await.ok()??;
    Some(Error::LockTimeout { table, pids })
}

async fn applied(db: &impl ConnectionTrait, dialect: Dialect) -> Result<Vec<String>, Error> {
    if !exists(db, dialect).await? {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT version FROM {} ORDER BY version", dialect.own_table("migrations"));
    let found = rows(db, &sql, []).await.map_err(|error| match code(&error).as_deref() {
        Some("42501") => Error::CannotReadHistory(error),
        _ => Error::Database(error),
    })?;
    found.iter().map(|row| row.try_get("", "version").map_err(Error::Database)).collect()
}

/// Whether there is a history at all. Asked of the catalogue, which every role may read.
async fn exists(db: &impl ConnectionTrait, dialect: Dialect) -> Result<bool, DbErr> {
    let found = match dialect {
        Dialect::Postgres => {
            let sql = "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                       WHERE n.nspname = $1 AND c.relname = 'migrations'";
            rows(db, sql, [OWN_SCHEMA.into()]).await?
        }
        Dialect::Sqlite => {
            let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1";
            rows(db, sql, [format!("{OWN_SCHEMA}_migrations").into()]).await?
        }
    };
    Ok(!found.is_empty())
}
