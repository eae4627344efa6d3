//! The state that all requests of a server share. The state of one request is in `graphql/context.rs`.

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

/// The state that all requests of a server share. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct AppState {
    database: Database,
    gateway: Option<Gateway>,
    watch: RunWatcher,
    metrics: Metrics,
    queue: JobQueue,
    accepted: Arc<AcceptedFindings>,
    authenticator: Authenticator,
    /// The principal of requests without a token. It is used only while no token is required.
    anonymous: Principal,
    limits: Limits,
    budget: ConnectionBudget,
    permits: ConnectionPermits,
    /// Detached tasks hold a read lock. Acquiring the write lock therefore means that none is running.
    detached: Arc<RwLock<()>>,
}

impl AppState {
    /// Creates the state of a server with default limits and without a gateway.
    ///
    /// While no token is required, every request is made by `anonymous`, which may do everything.
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

    /// Sets the gateway that is queried about sessions.
    #[must_use]
    pub fn with_gateway(self, gateway: Option<Gateway>) -> Self {
        Self { gateway, ..self }
    }

    /// Sets the authenticator that decides which callers are accepted.
    #[must_use]
    pub fn with_authenticator(self, authenticator: Authenticator) -> Self {
        Self { authenticator, ..self }
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Returns the authenticator that decides which callers are accepted.
    #[must_use]
    pub const fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    /// Authenticates a bearer token and returns its principal.
    ///
    /// Without a token, returns the anonymous principal if no token is required.
    ///
    /// # Errors
    /// Returns the errors of [`Authenticator::authenticate`].
    pub async fn authenticate(&self, bearer: Option<&str>) -> Result<Principal, AuthError> {
        let principal = self.authenticator.authenticate(bearer).await?;
        Ok(principal.unwrap_or_else(|| self.anonymous.clone()))
    }

    /// Authenticates a bearer token for a route that must respond even while the database does not.
    ///
    /// # Errors
    /// Returns the errors of [`Authenticator::authenticate_cached`].
    pub async fn authenticate_cached(&self, bearer: Option<&str>) -> Result<Principal, AuthError> {
        let principal = self.authenticator.authenticate_cached(bearer).await?;
        Ok(principal.unwrap_or_else(|| self.anonymous.clone()))
    }

    /// Returns the limits on the size of a request and on the number of concurrent requests.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the division of the database pool into shares.
    pub(crate) const fn budget(&self) -> &ConnectionBudget {
        &self.budget
    }

    /// Returns the permits for the shares of the database pool.
    pub(crate) const fn permits(&self) -> &ConnectionPermits {
        &self.permits
    }

    /// Returns the gateway, or `None` if none is configured.
    #[must_use]
    pub const fn gateway(&self) -> Option<&Gateway> {
        self.gateway.as_ref()
    }

    /// Returns the database.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// Returns the watcher of cleanup runs that subscriptions follow.
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

    /// Returns the schema health findings that the configuration accepts.
    #[must_use]
    pub const fn accepted(&self) -> &Arc<AcceptedFindings> {
        &self.accepted
    }

    /// Executes a future in a separate task and returns its result.
    ///
    /// A client that disconnects drops the future of its request. A requested deletion must complete anyway.
    ///
    /// # Errors
    /// Returns the errors of the future, and [`Error::Io`] if it panics.
    pub(crate) async fn run_detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let guard = Arc::clone(&self.detached).read_owned().await;
        let work = async move {
            let outcome = work.await;
            drop(guard);
            outcome
        };
        match tokio::spawn(work.in_current_span()).await {
            Ok(outcome) => outcome,
            Err(join_error) => Err(Error::Io {
                what: "The deletion's task ended early".to_owned(),
                source: std::io::Error::other(join_error),
            }),
        }
    }

    /// Waits up to `timeout` for all detached tasks, such as deletions, to end. Returns whether all of them have ended.
    pub async fn wait_for_deletions(&self, timeout: Duration) -> bool {
        tokio::time::timeout(timeout, self.detached.write()).await.is_ok()
    }
}
