//! The history of applied migrations, read without a migration session.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};

use crate::{
    adoption::BUSINESS_TABLES,
    dialect::{Dialect, INTERNAL_SCHEMA},
    error::{Error, database_code},
    migrator::Migrator,
    postgres,
    query::fetch_rows,
};

/// Returns the names of the migrations that have not been applied, in the order of application.
///
/// The function only reads and does not depend on the connection's search path. The role needs no privilege to change
/// the schema.
///
/// # Errors
///
/// - [`Error::UnknownMigrations`] if a newer version migrated the database
/// - [`Error::CannotReadHistory`] if the role may not read the history
/// - [`Error::Database`] otherwise
pub async fn list_pending(db: &DatabaseConnection) -> Result<Vec<String>, Error> {
    let migrations = list_with_status(db).await?;
    Ok(migrations.into_iter().filter(|(_, is_applied)| !is_applied).map(|(name, _)| name).collect())
}

/// Returns the names of all migrations in order, each with whether it has been applied. The function only reads.
///
/// # Errors
///
/// Returns the errors of [`list_pending`].
pub async fn list_with_status(db: &DatabaseConnection) -> Result<Vec<(String, bool)>, Error> {
    let dialect = Dialect::from_connection(db)?;
    let applied = fetch_applied(db, dialect).await?;
    let known = Migrator::new(dialect, "").migration_names();
    let unknown: Vec<_> = applied.iter().filter(|name| !known.contains(name)).cloned().collect();
    if !unknown.is_empty() {
        return Err(Error::UnknownMigrations(unknown));
    }
    let applied: HashSet<_> = applied.into_iter().collect();
    Ok(known.into_iter().map(|name| (name.clone(), applied.contains(&name))).collect())
}

/// Returns an error that names a business table that is locked against reading and the processes that hold the lock.
///
/// Returns `None` if there is no such table, and always on SQLite. Callers use it after a lock timeout of their own
/// statement.
pub async fn diagnose_lock_timeout(db: &DatabaseConnection, schema: &str) -> Option<Error> {
    if Dialect::from_connection(db).ok()? == Dialect::Sqlite {
        return None;
    }
    // The caller has an error to report even if this query fails.
    let (table, pids) = postgres::find_exclusive_lock(db, schema, &BUSINESS_TABLES).await.ok()??;
    Some(Error::LockTimeout { table, pids })
}

async fn fetch_applied(db: &impl ConnectionTrait, dialect: Dialect) -> Result<Vec<String>, Error> {
    if !has_history(db, dialect).await? {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT version FROM {} ORDER BY version", dialect.internal_table("migrations"));
    let rows = fetch_rows(db, &sql, []).await.map_err(|error| match database_code(&error).as_deref() {
        // insufficient_privilege
        Some("42501") => Error::CannotReadHistory(error),
        _ => Error::Database(error),
    })?;
    rows.iter().map(|row| row.try_get("", "version").map_err(Error::Database)).collect()
}

/// Returns whether the history exists. The function reads the catalog, which is readable for every role.
async fn has_history(db: &impl ConnectionTrait, dialect: Dialect) -> Result<bool, DbErr> {
    let rows = match dialect {
        Dialect::Postgres => {
            let sql = "SELECT 1 FROM pg_catalog.pg_class relation \
                       JOIN pg_catalog.pg_namespace schema ON schema.oid = relation.relnamespace \
                       WHERE schema.nspname = $1 AND relation.relname = 'migrations'";
            fetch_rows(db, sql, [INTERNAL_SCHEMA.into()]).await?
        }
        Dialect::Sqlite => {
            let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1";
            fetch_rows(db, sql, [format!("{INTERNAL_SCHEMA}_migrations").into()]).await?
        }
    };
    Ok(!rows.is_empty())
}

#[cfg(test)]
mod tests {
    use sea_orm::Database;

    use super::list_pending;
    use crate::{dialect::Dialect, migrator::Migrator, query::fetch_number};

    #[tokio::test]
    async fn reading_the_history_creates_nothing() {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        let names = Migrator::new(Dialect::Sqlite, "").migration_names();
        assert_eq!(list_pending(&db).await.unwrap(), names);
        assert_eq!(fetch_number(&db, "SELECT count(*) AS n FROM sqlite_schema").await.unwrap(), 0);
    }
}
