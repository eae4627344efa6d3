//! What else is committed together with a deletion or a restore: the progress of the run that it is a batch of.

use async_trait::async_trait;
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::model::Deletion;
use crate::error::Error;

/// The rows that a batch may delete. None where there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowBudget(pub Option<i64>);

/// A run of which a deletion or a restore is one batch.
///
/// Both methods take part in the batch's transaction, so the run's progress is committed with the batch or not at all.
#[async_trait]
pub(crate) trait CommitHook: Send + Sync {
    /// Returns the id of the run, which the deletion's audit record names.
    fn run_id(&self) -> Uuid;

    /// Claims the batch until the transaction ends. Returns None where it belongs to another worker by now.
    ///
    /// # Errors
    /// [`Error::LockTimeout`], [`Error::Unavailable`], [`Error::Timeout`].
    async fn begin(&self, transaction: &DatabaseTransaction) -> Result<Option<RowBudget>, Error>;

    /// Records the batch as done: the deletion that was made, or the one that was restored with so many rows (0 for a
    /// deletion that was made).
    ///
    /// # Errors
    /// [`Error::LockTimeout`], [`Error::Unavailable`], [`Error::Timeout`].
    async fn commit(
        &self,
        transaction: &DatabaseTransaction,
        deletion: &Deletion,
        rows_restored: i64,
    ) -> Result<(), Error>;
}
