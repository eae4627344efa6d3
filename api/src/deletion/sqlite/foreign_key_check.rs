//! SQLite's own check of all foreign keys.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::db::Dialect;
use crate::error::Error;

/// Returns every reference to a row that does not exist: the table, the rowid, the table referred to, and the number of
/// the key.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn broken_references(
    transaction: &DatabaseTransaction,
) -> Result<BTreeSet<(String, Option<i64>, String, i64)>, Error> {
    let rows = transaction.query_all_raw(Dialect::Sqlite.statement("PRAGMA foreign_key_check", [])).await?;
    rows.iter()
        .map(|row| {
            Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?, row.try_get_by_index(3)?))
        })
        .collect()
}
