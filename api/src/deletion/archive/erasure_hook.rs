//! What is blanked together with a deletion: records of other parts that repeat what it archived or was told.

use async_trait::async_trait;
use sea_orm::DatabaseTransaction;

use crate::db::Database;
use crate::deletion::model::Deletion;
use crate::error::Error;

/// Records outside of this folder that repeat the content of deletions.
#[async_trait]
pub trait ErasureHook: Send + Sync {
    /// Blanks what repeats the content of a deletion, in the transaction that erases it.
    ///
    /// # Errors
    /// [`Error::LockTimeout`], [`Error::Unavailable`], [`Error::Timeout`], [`Error::MissingGrant`].
    async fn erase(&self, transaction: &DatabaseTransaction, db: &Database, deletion: &Deletion) -> Result<(), Error>;

    /// Blanks what was still needed when its deletion was erased and is needed no longer, in the transaction that marks
    /// expired deletions.
    ///
    /// # Errors
    /// Those of [`ErasureHook::erase`].
    async fn erase_deferred(&self, transaction: &DatabaseTransaction, db: &Database) -> Result<(), Error>;
}
