//! What every resolver may use, and how it gets at it.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Context;
use tokio::sync::{RwLock, Semaphore};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::cleanup::{self, CleanupOutcome, CleanupRequest, RestoreRunRequest, RunOutcome, Watch};
use crate::db::Database;
use crate::deletion::{self, DeletionOutcome, DeletionRequest, ErasureOutcome};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::graphql::error::chain;
use crate::graphql::loaders::Batches;
use crate::graphql::share::Share;
use crate::graphql::turn::Turn;
use crate::health::Accepted;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::restore::{self, RestoreOutcome, RestoreRequest};
use crate::worker::Queue;

/// What a request may use. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct State {
    database: Database,
    gateway: Option<Gateway>,
    watch: Watch,
    metrics: Metrics,
    queue: Queue,
    accepted: Arc<Accepted>,
    limits: Limits,
    principal: Arc<str>,
    /// Every deletion under way holds it for reading, so that whoever gets it for writing knows that none is left.
    running: Arc<RwLock<()>>,
    /// Deletions may wait for locks; together they must leave connections for those who only read.
    turns: Arc<Semaphore>,
    /// Queries: half of the connections.
    queries: Arc<Semaphore>,
    /// The same for the events of subscriptions: nobody knows how many are followed.
    events: Arc<Semaphore>,
}

impl State {
    /// The state of a server whose requests are all made by `principal`, since there are no access tokens yet.
    #[must_use]
    pub fn new(database: Database, accepted: Accepted, principal: impl Into<Arc<str>>) -> Self {
        let connections = usize::try_from(database.settings().max_connections).unwrap_or(usize::MAX);
        let turns = || Arc::new(Semaphore::new((connections / 4).max(1)));
        Self {
            turns: turns(),
            events: turns(),
            queries: Arc::new(Semaphore::new((connections / 2).max(1))),
            accepted: Arc::new(accepted),
            limits: Limits::default(),
            principal: principal.into(),
            running: Arc::default(),
            gateway: None,
            watch: Watch::new(database.clone()),
            metrics: Metrics::default(),
            queue: Queue::new(&database),
            database,
        }
    }

    /// The same with a gateway that is asked about sessions.
    #[must_use]
    pub fn with_gateway(self, gateway: Option<Gateway>) -> Self {
        Self { gateway, ..self }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// What one request may ask for, and how much is served at once.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The gateway, where one is configured.
    #[must_use]
    pub const fn gateway(&self) -> Option<&Gateway> {
        self.gateway.as_ref()
    }

    /// The database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// The cleanup runs that are followed.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// What this process has done, in numbers.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What workers take cleanup runs from.
    #[must_use]
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The turn of a subscription that begins.
    pub(super) fn turn(&self) -> Turn {
        Turn::of(Arc::clone(&self.events))
    }

    /// How many queries of one client are executed at once, so that others need not wait for all of them: half of those that
    /// have a connection to the database.
    #[must_use]
    pub fn queries_of_one_client(&self) -> usize {
        let connections = usize::try_from(self.database.settings().max_connections).unwrap_or(usize::MAX);
        (connections / 4).max(1)
    }

    /// What a query has of the connections, once it is its turn.
    pub(super) async fn share(&self) -> Share {
        Share::of_query(Arc::clone(&self.queries)).await
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
        let gateway = self.gateway.clone();
        self.outliving(async move {
            let request = request.asked(gateway.as_ref()).await;
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

    /// Restores in a task of its own.
    ///
    /// # Errors
    /// Those of [`restore::restore`].
    pub async fn restore(&self, request: RestoreRequest) -> Result<RestoreOutcome, Error> {
        let (database, turns) = (self.database.clone(), Arc::clone(&self.turns));
        self.outliving(async move {
            let _turn = turns.acquire().await;
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
        let queue = self.queue.clone();
        self.outliving(async move {
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
        let (queue, turns) = (self.queue.clone(), Arc::clone(&self.turns));
        let gateway = self.gateway.clone();
        self.outliving(async move {
            let _turn = turns.acquire().await;
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
        let (database, principal) = (self.database.clone(), Arc::clone(&self.principal));
        self.outliving(async move { cleanup::cancel(&database, run, &principal).await }).await
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

/// Gives resolvers what they need by name.
pub(super) trait ContextExt {
    /// The state that came with the request.
    fn state(&self) -> Result<&State, Error>;
    /// The loader that came with the request.
    fn loader(&self) -> Result<&Batches, Error>;
    /// The turn that came with the subscription.
    fn turn(&self) -> Result<&Turn, Error>;
}

impl ContextExt for Context<'_> {
    fn state(&self) -> Result<&State, Error> {
        self.data_opt().ok_or_else(|| Error::Unsuitable("The schema was executed without its state.".to_owned()))
    }

    fn loader(&self) -> Result<&Batches, Error> {
        self.data_opt().ok_or_else(|| Error::Unsuitable("The schema was executed without its loaders.".to_owned()))
    }

    fn turn(&self) -> Result<&Turn, Error> {
        self.data_opt().ok_or_else(|| Error::Unsuitable("A subscription was executed without its turn.".to_owned()))
    }
}
