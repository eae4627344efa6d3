//! Write transactions on SQLite.

use sea_orm::{DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use sea_orm_migration::SchemaManagerConnection;

/// Begins a transaction that holds the write lock from its start.
///
/// A transaction that began with a read would fail if another connection wrote in the meantime.
///
pub(super) async fn begin_immediate(db: &SchemaManagerConnection<'_>) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    db.begin_with_options(options).await
}
