//! What changes something, in the hands of those who may: there is no other way to it than through the caller's role.

use uuid::Uuid;

use super::State;
use super::error::chain;
use crate::auth::Role;
use crate::cleanup::{self, CleanupOutcome, CleanupRequest, RestoreRunRequest, RunErasure, RunOutcome};
use crate::deletion::{self, DeletionOutcome, DeletionRequest, ErasureOutcome};
use crate::error::Error;
use crate::restore::{self, RestoreOutcome, RestoreRequest};

/// Somebody who may delete, restore and clean up.
#[derive(Debug)]
pub struct Operator<'a>(&'a State);

/// Somebody who may erase archives.
#[derive(Debug)]
pub struct Admin<'a>(&'a State);

impl<'a> Operator<'a> {
    pub(super) fn of(state: &'a State) -> Result<Self, Error> {
        state.principal().require(Role::Operator, "Changing anything, a dry run included,").map(|()| Self(state))
    }

    /// The name under which what is done is recorded.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.0.principal().name()
    }

    /// Deletes in a task of its own.
    ///
    /// # Errors
    /// Those of [`deletion::delete`].
    pub async fn delete(&self, request: DeletionRequest) -> Result<DeletionOutcome, Error> {
        let database = self.0.database().clone();
        // Nothing is changed by asking.
        let request = request.asked(self.0.gateway()).await;
        self.0
            .in_turn(async move {
                let outcome = deletion::delete(&database, &request).await;
                report(&outcome);
                outcome
            })
            .await
    }

    /// Restores in a task of its own.
    ///
    /// # Errors
    /// Those of [`restore::restore`].
    pub async fn restore(&self, request: RestoreRequest) -> Result<RestoreOutcome, Error> {
        let database = self.0.database().clone();
        self.0
            .in_turn(async move {
                let outcome = restore::restore(&database, &request).await?;
                let codes: Vec<_> = outcome.refusals.iter().map(|refusal| refusal.code).collect();
                let (deletion, rows) = (request.deletion_id, outcome.rows_restored);
                tracing::info!(%deletion, rows, refusals = ?codes, dry_run = request.dry_run, "restore");
                Ok(outcome)
            })
            .await
    }

    /// Starts a run that restores another one's deletions: it is queued, and workers take it.
    ///
    /// # Errors
    /// Those of [`cleanup::restore`].
    pub async fn restore_run(&self, request: RestoreRunRequest) -> Result<RunOutcome, Error> {
        let queue = self.0.queue().clone();
        self.0
            .outliving(async move {
                let outcome = cleanup::restore(queue.database(), &request).await?;
                if let Some(run) = &outcome.run {
                    queue.push(run.id).await;
                }
                Ok(outcome)
            })
            .await
    }

    /// Starts a cleanup: a run is queued, and workers take it.
    ///
    /// # Errors
    /// Those of [`cleanup::start`].
    pub async fn clean_up(&self, request: CleanupRequest) -> Result<CleanupOutcome, Error> {
        let queue = self.0.queue().clone();
        let gateway = self.0.gateway().cloned();
        self.0
            .in_turn(async move {
                let outcome = cleanup::start(queue.database(), gateway.as_ref(), &request).await?;
                if let Some(run) = outcome.run.as_ref().filter(|run| !run.status.has_finished()) {
                    queue.push(run.id).await;
                }
                Ok(outcome)
            })
            .await
    }

    /// Stops a cleanup run.
    ///
    /// # Errors
    /// Those of [`cleanup::cancel`].
    pub async fn cancel(&self, run: Uuid) -> Result<RunOutcome, Error> {
        let (database, name) = (self.0.database().clone(), self.name().to_owned());
        self.0.outliving(async move { cleanup::cancel(&database, run, &name).await }).await
    }
}

impl<'a> Admin<'a> {
    pub(super) fn of(state: &'a State) -> Result<Self, Error> {
        state.principal().require(Role::Admin, "Erasing an archive").map(|()| Self(state))
    }

    /// Erases what a deletion kept, in a task of its own.
    ///
    /// # Errors
    /// Those of [`deletion::erase`].
    pub async fn erase(&self, deletion: Uuid) -> Result<ErasureOutcome, Error> {
        let database = self.0.database().clone();
        let name = self.0.principal().name().to_owned();
        self.0
            .in_turn(async move {
                let outcome = deletion::erase(&database, deletion, &name, &RunErasure).await?;
                if outcome.refusals.is_empty() {
                    tracing::info!(%deletion, by = name, "erased");
                }
                Ok(outcome)
            })
            .await
    }
}

/// Logs what came of a deletion: nobody may be left to read the answer.
fn report(outcome: &Result<DeletionOutcome, Error>) {
    match outcome {
        Ok(DeletionOutcome { deletion: Some(deletion), .. }) => {
            tracing::info!(deletion = %deletion.id, rows = deletion.rows_deleted, by = deletion.deleted_by, "deleted");
        }
        Ok(outcome) => {
            let codes: Vec<_> = outcome.refusals.iter().map(|refusal| refusal.code).collect();
            tracing::info!(refusals = ?codes, "nothing was deleted");
        }
        Err(Error::BadInput(_)) => {}
        Err(error) => tracing::warn!(error = chain(error), "the deletion failed"),
    }
}
