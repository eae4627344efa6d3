//! The context of one request, and its access from resolvers.

use async_graphql::Context;

use super::loaders::RequestLoader;
use crate::admission::event_permit::EventPermit;
use crate::admission::mutation_permit::MutationPermit;
use crate::admission::request_permit::RequestPermit;
use crate::app_state::AppState;
use crate::auth::Principal;
use crate::error::Error;

/// The state of the server, the principal of a request and the permit that the request holds during its execution.
/// Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct RequestContext {
    state: AppState,
    principal: Principal,
    permit: RequestPermit,
}

impl RequestContext {
    /// Creates the context of a request of a principal. It holds no permit yet.
    #[must_use]
    pub const fn new(state: AppState, principal: Principal) -> Self {
        Self { state, principal, permit: RequestPermit::None }
    }

    /// Returns the context with a permit.
    pub(crate) fn with_permit(self, permit: RequestPermit) -> Self {
        Self { permit, ..self }
    }

    /// Returns the server's state.
    #[must_use]
    pub const fn state(&self) -> &AppState {
        &self.state
    }

    /// Returns the principal of the request.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Returns the permit that the request holds.
    pub(crate) const fn permit(&self) -> &RequestPermit {
        &self.permit
    }

    /// Returns whether the principal's token has expired.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.principal.is_expired(self.state.database().settings().clock.now())
    }

    /// Executes a change that may wait for locks, detached from the request.
    ///
    /// Acquires a permit of the client and then one of the process first. If the client disconnects before both are
    /// acquired, nothing is executed.
    ///
    /// # Errors
    /// Returns the errors of [`AppState::run_detached`].
    pub(super) fn run_with_permit<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> impl Future<Output = Result<T, Error>> + Send {
        // The future is large and is held across the wait for permits.
        let work = Box::pin(work);
        async move {
            let client = match self.mutation_permit() {
                Some(permit) => permit.acquire_lock_permit().await,
                None => None,
            };
            let process = self.state.permits().acquire_mutation().await;
            let permitted = async move {
                let outcome = work.await;
                drop((client, process));
                outcome
            };
            self.run_detached(permitted).await
        }
    }

    /// Executes a future detached from the request. The future holds the request's permit until it ends.
    ///
    /// # Errors
    /// Returns the errors of [`AppState::run_detached`].
    pub(super) async fn run_detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = self.permit.clone();
        let permitted = async move {
            let outcome = work.await;
            drop(permit);
            outcome
        };
        self.state.run_detached(permitted).await
    }

    const fn mutation_permit(&self) -> Option<&MutationPermit> {
        match &self.permit {
            RequestPermit::Mutation(permit) => Some(permit),
            _ => None,
        }
    }
}

/// Gives resolvers access to the context of their request.
pub(super) trait ContextExt {
    /// Returns the request's context.
    fn request_context(&self) -> Result<&RequestContext, Error>;

    /// Returns the request's loader.
    fn loader(&self) -> Result<&RequestLoader, Error>;

    /// Returns the server's state.
    fn state(&self) -> Result<&AppState, Error> {
        self.request_context().map(RequestContext::state)
    }

    /// Returns the principal of the request.
    fn principal(&self) -> Result<&Principal, Error> {
        self.request_context().map(RequestContext::principal)
    }

    /// Returns the permit of a subscription.
    fn event_permit(&self) -> Result<&EventPermit, Error> {
        match self.request_context()?.permit() {
            RequestPermit::Subscription(permit) => Ok(permit),
            _ => Err(Error::IncompatibleDatabase("A subscription was executed without its turn.".to_owned())),
        }
    }
}

impl ContextExt for Context<'_> {
    fn request_context(&self) -> Result<&RequestContext, Error> {
        self.data_opt()
            .ok_or_else(|| Error::IncompatibleDatabase("The schema was executed without its state.".to_owned()))
    }

    fn loader(&self) -> Result<&RequestLoader, Error> {
        self.data_opt()
            .ok_or_else(|| Error::IncompatibleDatabase("The schema was executed without its loaders.".to_owned()))
    }
}
