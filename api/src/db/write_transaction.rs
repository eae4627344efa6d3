//! The transactions in which rows are changed.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::database_settings::DatabaseSettings;
use super::dialect::Dialect;
use crate::error::Error;

/// A transaction that writes.
#[derive(Debug)]
pub struct WriteTransaction {
    /// The transaction.
    pub transaction: DatabaseTransaction,
    /// On SQLite, the lock on the one writing connection: deletions take turns, since the pragma and the transaction
    /// must be on the same connection.
    pub writer_guard: Option<OwnedMutexGuard<DatabaseConnection>>,
}

/// Begins a READ COMMITTED transaction with the timeouts of a deletion.
pub(super) async fn begin_on_postgres(
    pool: &DatabaseConnection,
    settings: &DatabaseSettings,
) -> Result<WriteTransaction, Error> {
    let transaction = pool.begin().await?;
    let milliseconds = |limit: Duration| limit.as_millis().to_string();
    let limits = Dialect::Postgres.statement(
        "SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)",
        [milliseconds(settings.lock_timeout).into(), milliseconds(settings.deletion_timeout).into()],
    );
    transaction.execute_raw(limits).await?;
    Ok(WriteTransaction { transaction, writer_guard: None })
}

/// Begins a transaction that holds SQLite's write lock, with foreign keys enforced or not. The pragma does nothing
/// within a transaction, so it is set before.
pub(super) async fn begin_on_sqlite(
    writer: Arc<Mutex<DatabaseConnection>>,
    enforce_foreign_keys: bool,
) -> Result<WriteTransaction, Error> {
    let turn = writer.lock_owned().await;
    let pragma = if enforce_foreign_keys { "PRAGMA foreign_keys = ON" } else { "PRAGMA foreign_keys = OFF" };
    turn.execute_unprepared(pragma).await?;
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = turn.begin_with_options(options).await?;
    let row = transaction.query_one_raw(Dialect::Sqlite.statement("PRAGMA foreign_keys", [])).await?;
    let is_enforced = row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
    if is_enforced != Some(i64::from(enforce_foreign_keys)) {
        return Err(Error::IncompatibleDatabase(
            "The connection was replaced while a deletion began. Try again.".to_owned(),
        ));
    }
    if enforce_foreign_keys {
        transaction.execute_unprepared("PRAGMA defer_foreign_keys = ON").await?;
    }
    Ok(WriteTransaction { transaction, writer_guard: Some(turn) })
}
