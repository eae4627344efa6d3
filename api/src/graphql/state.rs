//! What every resolver may use, and how it gets at it.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Context;
use tokio::sync::{RwLock, Semaphore};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::cleanup::{self, CleanupOutcome, CleanupRequest, Pace, Worker};
use crate::db::Database;
use crate::deletion::{self, DeletionOutcome, DeletionRequest, ErasureOutcome};
use crate::error::Error;
use crate::graphql::error::chain;
use crate::graphql::loaders::Batches;
use crate::health::Accepted;

/// What a request may use. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct State {
    database: Database,
    accepted: Arc<Accepted>,
    principal: Arc<str>,
    /// Every deletion under way holds it for reading, so that whoever gets it for writing knows that none is left.
    running: Arc<RwLock<()>>,
    /// Deletions may wait for locks; together they must leave connections for those who only read.
    turns: Arc<Semaphore>,
}

impl State {
    /// The state of a server whose requests are all made by `principal`, since there are no access tokens yet.
    #[must_use]
    pub fn new(database: Database, accepted: Accepted, principal: impl Into<Arc<str>>) -> Self {
        let connections = usize::try_from(database.settings().max_connections).unwrap_or(usize::MAX);
        Self {
            turns: Arc::new(Semaphore::new((connections / 4).max(1))),
            accepted: Arc::new(accepted),
            principal: principal.into(),
            running: Arc::default(),
            database,
        }
    }

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// The findings of schema health that the configuration accepts.
    #[must_use]
    pub fn accepted(&self) -> &Accepted {
        &self.accepted
    }

    /// Who asks.
    #[must_use]
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// Deletes in a task of its own.
    ///
    /// # Errors
    /// Those of [`deletion::delete`].
    pub async fn delete(&self, request: DeletionRequest) -> Result<DeletionOutcome, Error> {
        let (database, turns) = (self.database.clone(), Arc::clone(&self.turns));
        self.outliving(async move {
            // The semaphore is never closed; without a turn the deletion would still be right, only less polite.
            let _turn = turns.acquire().await;
            let outcome = deletion::delete(&database, &request).await;
            report(&outcome);
            outcome
        })
        .await
    }

    /// Erases what a deletion kept, in a task of its own.
    ///
    /// # Errors
    /// Those of [`deletion::erase`].
    pub async fn erase(&self, deletion: Uuid) -> Result<ErasureOutcome, Error> {
        let (database, turns, principal) =
            (self.database.clone(), Arc::clone(&self.turns), Arc::clone(&self.principal));
        self.outliving(async move {
            let _turn = turns.acquire().await;
            let outcome = deletion::erase(&database, deletion, &principal).await?;
            if outcome.refusals.is_empty() {
                tracing::info!(%deletion, by = %principal, "erased");
            }
            Ok(outcome)
        })
        .await
    }

    /// Starts a cleanup and works it off in a task of its own; a run that was started before under the same key is gone
    /// on with. Between two batches others get their turn.
    ///
    /// # Errors
    /// Those of [`cleanup::start`] and [`Worker::step`]: the run stays as far as it came.
    pub async fn clean_up(&self, request: CleanupRequest) -> Result<CleanupOutcome, Error> {
        let (database, turns) = (self.database.clone(), Arc::clone(&self.turns));
        self.outliving(async move {
            let turn = turns.acquire().await;
            let mut outcome = cleanup::start(&database, &request).await?;
            drop(turn);
            if let Some(run) = &mut outcome.run {
                let mut worker = Worker::new(database, run.id, Pace::default()).await?;
                while !run.status.has_finished() {
                    let _turn = turns.acquire().await;
                    *run = worker.step().await.inspect_err(|error| interrupted(run.id, error))?;
                }
                tracing::info!(run = %run.id, status = ?run.status, rows = run.rows_deleted, "cleaned up");
            }
            Ok(outcome)
        })
        .await
    }

    /// Does it in a task of its own: a client that goes away drops its request's future, and what somebody asked to be
    /// deleted must not depend on that.
    async fn outliving<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let running = Arc::clone(&self.running).read_owned().await;
        let work = async move {
            let outcome = work.await;
            drop(running);
            outcome
        };
        match tokio::spawn(work.in_current_span()).await {
            Ok(outcome) => outcome,
            Err(defect) => Err(Error::Io {
                what: "The deletion's task ended early".to_owned(),
                source: std::io::Error::other(defect),
            }),
        }
    }

    /// Waits until no deletion is under way, `limit` at most; says whether that is so.
    pub async fn deletions_finished(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.running.write()).await.is_ok()
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

fn interrupted(run: Uuid, error: &Error) {
    tracing::warn!(%run, error = chain(error), "a cleanup run was interrupted; `session-admin runs resume` goes on with it");
}

/// Gives resolvers what they need by name.
pub(super) trait ContextExt {
    /// The state that came with the request.
    fn state(&self) -> Result<&State, Error>;
    /// The loader that came with the request.
    fn loader(&self) -> Result<&Batches, Error>;
}

impl ContextExt for Context<'_> {
    fn state(&self) -> Result<&State, Error> {
        self.data_opt().ok_or_else(|| Error::Unsuitable("The schema was executed without its state.".to_owned()))
    }

    fn loader(&self) -> Result<&Batches, Error> {
        self.data_opt().ok_or_else(|| Error::Unsuitable("The schema was executed without its loaders.".to_owned()))
    }
}
