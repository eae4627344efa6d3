//! What stands in the way of rows that could not be put back, row by row.

use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, TransactionTrait};
use uuid::Uuid;

use super::Conflict;
use super::archived_table::Entry;
use super::checks::{missing_parents, unique_keys};
use super::references::Lacking;
use super::target_rows::Wanted;
use crate::db::{Database, Dialect};
use crate::error::{Error, Said};

/// Of each kind so many conflicts are listed.
pub(super) const LISTED: usize = 1_000;

/// Everything that is in the way of an archive's rows and references, the first 1,000 of each kind. Looked for only where
/// they could not be put back: to look costs as much as to put back.
pub(super) async fn all(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    (entries, lacking): (&[Entry], &Lacking),
) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for wanted in entries.iter().filter_map(|entry| Wanted::of(db.dialect(), entry, lacking)) {
        conflicts.extend(unique_keys::rows(transaction, db.dialect(), &wanted, lacking).await?);
    }
    conflicts.extend(orphans(transaction, db, deletion, (entries, lacking)).await?);
    Ok(conflicts)
}

/// The rows that refer to others which are gone.
pub(super) async fn orphans(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Uuid,
    (entries, lacking): (&[Entry], &Lacking),
) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for wanted in entries.iter().filter_map(|entry| Wanted::of(db.dialect(), entry, lacking)) {
        conflicts.extend(missing_parents::rows(transaction, db, deletion, entries, (&wanted, lacking)).await?);
    }
    Ok(conflicts)
}

/// Something about a whole table, or about all of them.
pub(super) fn whole(table: &str, message: String) -> Conflict {
    Conflict { table: table.to_owned(), key: String::new(), message, deletion_id: None }
}

/// What the database said, where nothing else was found.
pub(super) fn said(said: &Said) -> Conflict {
    whole(said.table.as_deref().unwrap_or_default(), format!("The database refused: {}.", said.message))
}

/// The rows of a question that may have no answer: an expression over a column that was not kept cannot be read, and types
/// that do not compare any more cannot be compared. The database's own words have to do then.
pub(super) async fn asked(
    transaction: &DatabaseTransaction,
    dialect: Dialect,
    sql: String,
) -> Result<Vec<QueryResult>, Error> {
    let savepoint = transaction.begin().await?;
    let rows = savepoint.query_all_raw(dialect.statement(sql, [])).await.map_err(Error::from);
    savepoint.rollback().await?;
    match rows {
        Err(Error::Database(_) | Error::Refused(_)) => Ok(Vec::new()),
        other => other,
    }
}
