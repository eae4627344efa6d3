//! A demo deployment: the original business tables, with sample data, in a temporary SQLite file.

pub mod scenario;

use std::path::Path;

use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::db::{Database, DatabaseSettings, Dialect};
use crate::error::Error;

/// Creates an SQLite database at `path`, which must not exist, and returns its URL. The database has the original
/// business tables, whose foreign keys block deletions, the rows of the [`scenario`], and none of the internal tables.
///
/// # Errors
/// [`Error::Unavailable`] if the file cannot be created.
pub async fn create(path: &Path) -> Result<String, Error> {
    let url = format!("sqlite://{}", path.display());
    let db = Database::connect(DatabaseSettings::new(&url)).await?;
    let transaction = db.pool().begin().await?;
    transaction.execute_unprepared(migration::SCHEMA_AS_BUILT_SQLITE).await?;
    for statement in scenario::statements(Dialect::Sqlite, None) {
        transaction.execute_unprepared(&statement).await?;
    }
    transaction.commit().await?;
    db.close().await?;
    Ok(url)
}
