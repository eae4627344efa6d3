//! The state that HTTP handlers share, and the caller of a request.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;

use super::connection::activity::ConnectionActivity;
use super::graphql_over_http::response::Refusal;
use super::readiness_cache::ReadinessCache;
use super::websocket::registry::Sockets;
use crate::admission::client_quota::{ClientLimits, ClientQuota, ClientQuotas};
use crate::admission::queue_limit::QueueLimit;
use crate::admission::rate_limit::{Limited, RateLimit};
use crate::admission::socket_slots::SocketSlots;
use crate::app_state::AppState;
use crate::conformance::document_cache::DocumentCache;
use crate::graphql::{RequestContext, Schema, builder, schema_index};

/// The state that all handlers of a server share.
#[derive(Clone)]
pub(in crate::http) struct App {
    pub(in crate::http) schema: Schema,
    pub(in crate::http) documents: Arc<DocumentCache>,
    pub(in crate::http) state: AppState,
    pub(in crate::http) sockets: Sockets,
    pub(in crate::http) socket_slots: SocketSlots,
    pub(in crate::http) queries: QueueLimit,
    /// Mutations wait for locks. Their separate limit prevents them from delaying queries.
    pub(in crate::http) mutations: QueueLimit,
    pub(in crate::http) readiness: ReadinessCache,
    rate_limit: RateLimit,
    client_limits: ClientLimits,
    quotas: ClientQuotas,
}

impl App {
    /// Creates the state that the handlers of a server share.
    pub(in crate::http) fn new(state: AppState, sockets: Sockets) -> Self {
        let limits = *state.limits();
        let client_limits = ClientLimits::new(&limits, state.budget());
        Self {
            schema: builder().limit_complexity(limits.cost).finish(),
            documents: Arc::new(DocumentCache::new(limits.document, schema_index())),
            sockets,
            socket_slots: SocketSlots::new(&limits),
            queries: QueueLimit::new(limits.requests),
            mutations: QueueLimit::new(limits.requests),
            readiness: ReadinessCache::default(),
            rate_limit: RateLimit::new(limits.requests_per_minute),
            client_limits,
            quotas: ClientQuotas::new(client_limits),
            state,
        }
    }

    /// Returns the connection of a request, or a new one without an address if the router is called without a
    /// connection.
    pub(in crate::http) fn connection(&self, request: &Request) -> ConnectionActivity {
        let connection = request.extensions().get().cloned();
        connection.unwrap_or_else(|| ConnectionActivity::new(None, self.client_limits))
    }

    /// Creates the caller of an authenticated request.
    pub(in crate::http) fn for_request(self, request: &Request, context: RequestContext) -> Caller {
        let connection = self.connection(request);
        Caller { app: self, context, connection }
    }
}

/// An authenticated caller on one connection.
#[derive(Clone)]
pub(in crate::http) struct Caller {
    pub(in crate::http) app: App,
    pub(in crate::http) context: RequestContext,
    pub(in crate::http) connection: ConnectionActivity,
}

impl Caller {
    /// Counts a request against the caller's rate limit.
    ///
    /// # Errors
    /// Returns a refusal (429) if the caller has used up the requests of this minute.
    pub(in crate::http) fn check_rate(&self) -> Result<(), Refusal> {
        self.app.rate_limit.check(self.rate_key()).map_err(|Limited { per_minute, retry_after }| Refusal {
            code: "RATE_LIMITED",
            retry_after: Some(retry_after),
            ..Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!("At most {per_minute} requests a minute are answered. Try again in {retry_after} seconds."),
            )
        })
    }

    /// Returns the key under which requests are counted together.
    ///
    /// The key is the token's name, on every connection that uses the token. While no token is required, it is the
    /// client's address.
    fn rate_key(&self) -> String {
        let principal = self.context.principal();
        let address = || self.connection.address().map(|address| address.to_string()).unwrap_or_default();
        // A token's name cannot contain a colon.
        if principal.is_anonymous_local() { format!("from:{}", address()) } else { principal.name().to_owned() }
    }

    /// Returns the quota of the caller's concurrent work.
    ///
    /// The quota belongs to the token, over all its connections. While no token is required, it belongs to the
    /// connection.
    pub(in crate::http) fn quota(&self) -> Arc<ClientQuota> {
        let principal = self.context.principal();
        if principal.is_anonymous_local() {
            self.connection.quota()
        } else {
            self.app.quotas.for_token(principal.name())
        }
    }
}
