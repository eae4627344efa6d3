//! A deployment to try things on: the business tables as they were built, in a throwaway file.

pub mod scenario;

use std::path::Path;

use sea_orm::{ConnectionTrait, TransactionTrait};

use crate::db::{Database, DatabaseSettings, Dialect};
use crate::error::Error;

/// Makes an SQLite database at `path`, which must not exist: the schema as built, which refuses deletions, with the
/// scenario's rows, and without any of this program's own tables. Gives its URL.
///
/// # Errors
/// [`Error::Unavailable`] when the file cannot be made.
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
