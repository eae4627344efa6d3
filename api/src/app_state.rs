//! The server's part of what a request may use. What belongs to one request is in `graphql/context.rs`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::RwLock;
use tracing::Instrument as _;

use crate::admission::connection_budget::ConnectionBudget;
use crate::admission::connection_permits::ConnectionPermits;
use crate::auth::{AuthError, Authenticator, Principal};
use crate::cleanup::RunWatcher;
use crate::db::Database;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::schema_health::AcceptedFindings;
use crate::worker::JobQueue;

/// What all requests of a server share. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct AppState {
    database: Database,
    gateway: Option<Gateway>,
    watch: RunWatcher,
    metrics: Metrics,
    queue: JobQueue,
    accepted: Arc<AcceptedFindings>,
    authenticator: Authenticator,
    /// The principal of requests without a token, while none is required.
    anonymous: Principal,
    limits: Limits,
    budget: ConnectionBudget,
    permits: ConnectionPermits,
    /// Detached work holds it for reading, so that a writer knows that none is left.
    detached: Arc<RwLock<()>>,
}

impl AppState {
    /// Creates the state of a server with default limits and without a gateway. While no token is required, requests are made
    /// by `anonymous`, who may do everything.
    #[must_use]
    pub fn new(database: Database, accepted: AcceptedFindings, anonymous: impl Into<Arc<str>>) -> Self {
        let budget = ConnectionBudget::new(database.settings().max_connections);
        Self {
            budget,
            permits: ConnectionPermits::new(&budget),
            accepted: Arc::new(accepted),
            anonymous: Principal::anonymous_local(anonymous),
            authenticator: Authenticator::new(database.clone(), None),
            limits: Limits::default(),
            detached: Arc::default(),
            gateway: None,
            watch: RunWatcher::new(database.clone()),
            metrics: Metrics::default(),
            queue: JobQueue::new(&database),
            database,
        }
    }

    /// Sets the gateway that is asked about sessions.
    #[must_use]
    pub fn with_gateway(self, gateway: Option<Gateway>) -> Self {
        Self { gateway, ..self }
    }

    /// Sets who decides which callers are let in.
    #[must_use]
    pub fn with_authenticator(self, authenticator: Authenticator) -> Self {
        Self { authenticator, ..self }
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Returns who decides which callers are let in.
    #[must_use]
    pub const fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    /// Authenticates a bearer token and returns its principal. Without a token, returns the anonymous principal while none
    /// is required.
    ///
    /// # Errors
    /// Those of [`Authenticator::authenticate`].
    pub async fn authenticate(&self, bearer: Option<&str>) -> Result<Principal, AuthError> {
        let principal = self.authenticator.authenticate(bearer).await?;
        Ok(principal.unwrap_or_else(|| self.anonymous.clone()))
    }

    /// Authenticates a bearer token for a route that has to answer while the database does not.
    ///
    /// # Errors
    /// Those of [`Authenticator::authenticate_cached`].
    pub async fn authenticate_cached(&self, bearer: Option<&str>) -> Result<Principal, AuthError> {
        let principal = self.authenticator.authenticate_cached(bearer).await?;
        Ok(principal.unwrap_or_else(|| self.anonymous.clone()))
    }

    /// Returns what one request may ask for, and how much is served at once.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns how the database pool is divided.
    pub(crate) const fn budget(&self) -> &ConnectionBudget {
        &self.budget
    }

    /// Returns the permits for the shares of the database pool.
    pub(crate) const fn permits(&self) -> &ConnectionPermits {
        &self.permits
    }

    /// Returns the gateway, where one is configured.
    #[must_use]
    pub const fn gateway(&self) -> Option<&Gateway> {
        self.gateway.as_ref()
    }

    /// Returns the database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Returns the watcher of cleanup runs, which subscriptions follow.
    #[must_use]
    pub const fn run_watcher(&self) -> &RunWatcher {
        &self.watch
    }

    /// Returns this process's metrics.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Returns the queue from which workers take cleanup runs.
    #[must_use]
    pub const fn queue(&self) -> &JobQueue {
        &self.queue
    }

    /// Returns the findings of schema health that the configuration accepts.
    #[must_use]
    pub const fn accepted(&self) -> &Arc<AcceptedFindings> {
        &self.accepted
    }

    /// Executes work in a task of its own. A client that disconnects drops its request's future, and a deletion that it has
    /// asked for must not depend on that.
    ///
    /// # Errors
    /// Those of the work, and [`Error::Io`] where it panics.
    pub(crate) async fn run_detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let detached = Arc::clone(&self.detached).read_owned().await;
        let work = async move {
            let outcome = work.await;
            drop(detached);
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

    /// Waits for up to `timeout` until no detached work, such as a deletion, is left. Returns whether none is.
    pub async fn wait_for_deletions(&self, timeout: Duration) -> bool {
        tokio::time::timeout(timeout, self.detached.write()).await.is_ok()
    }
}
