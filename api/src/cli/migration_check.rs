//! The check that the internal tables are up to date.

use crate::db::Database;
use crate::error::Error;

/// Checks that the internal tables are up to date. A pending purge is accepted, since it changes no internal table.
///
/// # Errors
/// [`Error::MigrationsPending`] with the number of pending migrations; errors of the database.
pub(super) async fn require_migrated(db: &Database) -> Result<(), Error> {
    let pending = migration::list_pending(db.pool()).await?;
    if pending.iter().all(|name| name == migration::STALE_PURGE) {
        Ok(())
    } else {
        Err(Error::MigrationsPending(pending.len()))
    }
}
