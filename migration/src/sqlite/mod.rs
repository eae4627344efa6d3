//! What migrations do on SQLite.

mod catalog;
mod foreign_key_repair;
mod index_creation;
mod table_definition;
mod tokenizer;

use sea_orm::{DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use sea_orm_migration::SchemaManagerConnection;

pub(crate) use catalog::table;
pub(crate) use foreign_key_repair::mend;
pub(crate) use index_creation::index;

/// A transaction that has the right to write from its first moment: one that began by reading could find that somebody
/// else has written since, and fail.
async fn begin_immediate(db: &SchemaManagerConnection<'_>) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    db.begin_with_options(options).await
}
