//! A hook that erases copies of a deletion's content from the records of other modules.

use async_trait::async_trait;
use sea_orm::DatabaseTransaction;

use crate::db::Database;
use crate::deletion::model::Deletion;
use crate::error::Error;

/// An owner of records outside of this module that contain copies of a deletion's archived values, names or reason.
#[async_trait]
pub trait ErasureHook: Send + Sync {
    /// Blanks the copies of a deletion's content, in the transaction that erases the deletion.
    ///
    /// # Errors
    /// [`Error::LockTimeout`], [`Error::Unavailable`], [`Error::Timeout`], [`Error::MissingGrant`].
    async fn erase(&self, transaction: &DatabaseTransaction, db: &Database, deletion: &Deletion) -> Result<(), Error>;

    /// Blanks copies that were still in use when their deletion was erased, and that are not in use any more. It is
    /// called in the transaction that marks expired deletions.
    ///
    /// # Errors
    /// Returns the errors of [`ErasureHook::erase`].
    async fn erase_deferred(&self, transaction: &DatabaseTransaction, db: &Database) -> Result<(), Error>;
}
