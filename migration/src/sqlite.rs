//! What migrations do on SQLite.

mod catalogue;
mod definition;
mod index;
mod mend;
mod tokens;

use sea_orm::{DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use sea_orm_migration::SchemaManagerConnection;

pub(crate) use catalogue::table;
pub(crate) use index::index;
pub(crate) use mend::mend;

/// A transaction that has the right to write from its first moment: one that began by reading could find that somebody
/// else has written since, and fail.
async fn begin_immediate(db: &SchemaManagerConnection<'_>) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    db.begin_with_options(options).await
}
