//! Capabilities: every change is a method of one, and a capability is granted only by the principal's role.

use async_graphql::Context;
use uuid::Uuid;

use super::context::{ContextExt as _, RequestContext};
use super::error::error_chain;
use crate::auth::Role;
use crate::cleanup::{self, CleanupOutcome, CleanupRequest, RestoreRunRequest, RunErasure, RunOutcome};
use crate::deletion::{self, DeletionOutcome, DeletionRequest, ErasureOutcome};
use crate::error::Error;
use crate::restore::{self, RestoreOutcome, RestoreRequest};

/// The capability to delete, to restore and to clean up.
#[derive(Debug)]
pub struct Operator<'a>(&'a RequestContext);

/// The capability to erase archives.
#[derive(Debug)]
pub struct Admin<'a>(&'a RequestContext);

/// Grants the capabilities of a request's principal.
pub(super) trait CapabilityExt {
    /// Returns the capability to delete, to restore and to clean up.
    ///
    /// # Errors
    /// Returns [`Error::Forbidden`] if the principal is not an operator.
    fn operator(&self) -> Result<Operator<'_>, Error>;

    /// Returns the capability to erase archives.
    ///
    /// # Errors
    /// Returns [`Error::Forbidden`] if the principal is not an admin.
    fn admin(&self) -> Result<Admin<'_>, Error>;
}

impl CapabilityExt for Context<'_> {
    fn operator(&self) -> Result<Operator<'_>, Error> {
        let request = self.request_context()?;
        request.principal().require(Role::Operator, "Any change, including a dry run,").map(|()| Operator(request))
    }

    fn admin(&self) -> Result<Admin<'_>, Error> {
        let request = self.request_context()?;
        request.principal().require(Role::Admin, "Erasing an archive").map(|()| Admin(request))
    }
}

impl<'a> Operator<'a> {
    /// Returns the name under which changes are recorded.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.0.principal().name()
    }

    /// Deletes a session, detached from the request.
    ///
    /// # Errors
    /// Returns the errors of [`deletion::delete`].
    pub async fn delete(&self, request: DeletionRequest) -> Result<DeletionOutcome, Error> {
        let database = self.0.state().database().clone();
        // The gateway is queried before the deletion acquires locks, so that no lock is held during the query.
        let request = request.with_gateway_states(self.0.state().gateway()).await;
        self.0
            .run_with_permit(async move {
                let outcome = deletion::delete(&database, &request).await;
                log_outcome(&outcome);
                outcome
            })
            .await
    }

    /// Restores a deletion, detached from the request.
    ///
    /// # Errors
    /// Returns the errors of [`restore::restore`].
    pub async fn restore(&self, request: RestoreRequest) -> Result<RestoreOutcome, Error> {
        let database = self.0.state().database().clone();
        self.0
            .run_with_permit(async move {
                let outcome = restore::restore(&database, &request).await?;
                let codes: Vec<_> = outcome.refusals.iter().map(|refusal| refusal.code).collect();
                let (deletion, rows) = (request.deletion_id, outcome.rows_restored);
                tracing::info!(target: "session_admin::graphql", %deletion, rows, refusals = ?codes, dry_run = request.dry_run, "restore");
                Ok(outcome)
            })
            .await
    }

    /// Creates and queues a run that restores another run's deletions.
    ///
    /// # Errors
    /// Returns the errors of [`cleanup::restore`].
    pub async fn restore_run(&self, request: RestoreRunRequest) -> Result<RunOutcome, Error> {
        let queue = self.0.state().queue().clone();
        self.0
            .run_detached(Box::pin(async move {
                let outcome = cleanup::restore(queue.database(), &request).await?;
                if let Some(run) = &outcome.run {
                    queue.push(run.id).await;
                }
                Ok(outcome)
            }))
            .await
    }

    /// Creates and queues a cleanup run.
    ///
    /// # Errors
    /// Returns the errors of [`cleanup::create_run`].
    pub async fn clean_up(&self, request: CleanupRequest) -> Result<CleanupOutcome, Error> {
        let queue = self.0.state().queue().clone();
        let gateway = self.0.state().gateway().cloned();
        self.0
            .run_with_permit(async move {
                let outcome = cleanup::create_run(queue.database(), gateway.as_ref(), &request).await?;
                if let Some(run) = outcome.run.as_ref().filter(|run| !run.status.has_finished()) {
                    queue.push(run.id).await;
                }
                Ok(outcome)
            })
            .await
    }

    /// Cancels a cleanup run.
    ///
    /// # Errors
    /// Returns the errors of [`cleanup::cancel`].
    pub async fn cancel(&self, run: Uuid) -> Result<RunOutcome, Error> {
        let (database, name) = (self.0.state().database().clone(), self.name().to_owned());
        self.0.run_detached(async move { cleanup::cancel(&database, run, &name).await }).await
    }
}

impl Admin<'_> {
    /// Erases a deletion's archive, detached from the request.
    ///
    /// # Errors
    /// Returns the errors of [`deletion::erase`].
    pub async fn erase(&self, deletion: Uuid) -> Result<ErasureOutcome, Error> {
        let database = self.0.state().database().clone();
        let name = self.0.principal().name().to_owned();
        self.0
            .run_with_permit(async move {
                let outcome = deletion::erase(&database, deletion, &name, &RunErasure).await?;
                if outcome.refusals.is_empty() {
                    tracing::info!(target: "session_admin::graphql", %deletion, by = name, "erased");
                }
                Ok(outcome)
            })
            .await
    }
}

/// Logs the outcome of a deletion. The client may have disconnected before it could read the response.
fn log_outcome(outcome: &Result<DeletionOutcome, Error>) {
    match outcome {
        Ok(DeletionOutcome { deletion: Some(deletion), .. }) => {
            tracing::info!(target: "session_admin::graphql", deletion = %deletion.id, rows = deletion.rows_deleted, by = deletion.deleted_by, "deleted");
        }
        Ok(outcome) => {
            let codes: Vec<_> = outcome.refusals.iter().map(|refusal| refusal.code).collect();
            tracing::info!(target: "session_admin::graphql", refusals = ?codes, "nothing was deleted");
        }
        Err(Error::BadInput(_)) => {}
        Err(error) => {
            tracing::warn!(target: "session_admin::graphql", error = error_chain(error), "the deletion failed");
        }
    }
}
