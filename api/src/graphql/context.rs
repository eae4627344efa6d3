//! What every resolver may use, and how it gets at it.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::Context;
use tokio::sync::{RwLock, Semaphore};
use tracing::Instrument as _;

use super::capabilities::{Admin, Operator};
use crate::admission::event_permit::Turn;
use crate::admission::mutation_permit::Leave;
use crate::admission::query_permits::Share;
use crate::auth::{Access, Denied, Principal};
use crate::cleanup::Watch;
use crate::db::Database;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::graphql::loaders::Batches;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::schema_health::Accepted;
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
    access: Access,
    principal: Principal,
    limits: Limits,
    leave: Option<Leave>,
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
    /// The state of a server. While it needs no token, requests are made by `principal`, who may do everything.
    #[must_use]
    pub fn new(database: Database, accepted: Accepted, principal: impl Into<Arc<str>>) -> Self {
        let connections = usize::try_from(database.settings().max_connections).unwrap_or(usize::MAX);
        let turns = || Arc::new(Semaphore::new((connections / 4).max(1)));
        Self {
            turns: turns(),
            events: turns(),
            queries: Arc::new(Semaphore::new((connections / 2).max(1))),
            accepted: Arc::new(accepted),
            principal: Principal::local(principal),
            access: Access::new(database.clone(), None),
            limits: Limits::default(),
            leave: None,
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

    /// The same with another say in who is let in.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Who is let in.
    #[must_use]
    pub const fn access(&self) -> &Access {
        &self.access
    }

    /// The same for requests of whoever shows this, the text behind `Bearer`, if anything.
    ///
    /// # Errors
    /// Those of [`Access::identify`].
    pub async fn of_whoever_shows(&self, shown: Option<&str>) -> Result<Self, Denied> {
        let principal = self.access.identify(shown).await?.unwrap_or_else(|| self.principal.clone());
        Ok(Self { principal, ..self.clone() })
    }

    /// Whether the time of whoever asks is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.principal.is_over(self.database.settings().clock.now())
    }

    /// The same, for what is told without the database.
    ///
    /// # Errors
    /// Those of [`Access::recall`].
    pub async fn of_whoever_showed(&self, shown: Option<&str>) -> Result<Self, Denied> {
        let principal = self.access.recall(shown).await?.unwrap_or_else(|| self.principal.clone());
        Ok(Self { principal, ..self.clone() })
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same for a mutation that may begin.
    #[must_use]
    pub fn with_leave(self, leave: Leave) -> Self {
        Self { leave: Some(leave), ..self }
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

    /// How many changes of one client wait for locks at once: half of all.
    #[must_use]
    pub fn changes_of_one_client(&self) -> usize {
        let connections = usize::try_from(self.database.settings().max_connections).unwrap_or(usize::MAX);
        (connections / 8).max(1)
    }

    /// What a query has of the connections, once it is its turn.
    pub(super) async fn share(&self) -> Share {
        Share::of_query(Arc::clone(&self.queries)).await
    }

    /// The findings of schema health that the configuration accepts.
    #[must_use]
    pub const fn accepted(&self) -> &Arc<Accepted> {
        &self.accepted
    }

    /// Who asks.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// All that an operator may do: nothing else deletes, restores or cleans up.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where the one who asks is none.
    pub fn operator(&self) -> Result<Operator<'_>, Error> {
        Operator::of(self)
    }

    /// All that only an admin may do: nothing else erases.
    ///
    /// # Errors
    /// [`Error::Forbidden`] where the one who asks is none.
    pub fn admin(&self) -> Result<Admin<'_>, Error> {
        Admin::of(self)
    }

    /// Does it once its turn has come among those who may wait for locks, as [`Self::outliving`] does. A client that goes
    /// away before has asked for nothing.
    pub(super) fn in_turn<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + Send {
        // It is large, and waits.
        let work = Box::pin(work);
        async move {
            // The semaphores are never closed; without a turn the change would still be right, only less polite.
            let own = match &self.leave {
                Some(leave) => Arc::clone(&leave.locks).acquire_owned().await.ok(),
                None => None,
            };
            let turn = Arc::clone(&self.turns).acquire_owned().await.ok();
            let in_turn = async move {
                let outcome = work.await;
                drop((own, turn));
                outcome
            };
            self.outliving(in_turn).await
        }
    }

    /// Does it in a task of its own: a client that goes away drops its request's future, and what somebody asked to be
    /// deleted must not depend on that.
    pub(super) async fn outliving<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let running = Arc::clone(&self.running).read_owned().await;
        let leave = self.leave.clone();
        let work = async move {
            let outcome = work.await;
            drop((running, leave));
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
