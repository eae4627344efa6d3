//! HTTP: who may talk to the server, and in what shape; what is asked for is GraphQL's.

pub(crate) mod connection;
pub(crate) mod graphql_over_http;
pub(crate) mod middleware;
pub(crate) mod routes;
mod websocket;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{any, get};

use crate::conformance::document_cache::Documents;
use crate::graphql::{Schema, State, builder, schema_index};
use middleware::{authentication, cors, host_check, request_log, security_headers};
use routes::{graphiql, health_probes};

use crate::admission::client_quota::{Allowance, Caller, Callers};
use crate::admission::queue_limit::Gate;
use crate::admission::rate_limit::{Limited, Pace};
use crate::admission::socket_slots::Places;
use connection::activity::Client;
use graphql_over_http::response::Refusal;

pub use connection::bind_policy::check_listen;
pub use connection::serve::serve;
pub use middleware::cors::{Origin, check_origins};
pub use websocket::Sockets;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    schema: Schema,
    documents: Arc<Documents>,
    state: State,
    sockets: Sockets,
    places: Places,
    queries: Gate,
    /// Changes wait for locks: however many do, queries are answered.
    mutations: Gate,
    pace: Pace,
    allowance: Allowance,
    callers: Callers,
    lacking: health_probes::Lacking,
    /// Who asks.
    client: Client,
}

impl App {
    fn new(state: State, sockets: Sockets) -> Self {
        let (limits, allowance) = (*state.limits(), Allowance::of(&state));
        Self {
            schema: builder().limit_complexity(limits.cost).finish(),
            documents: Arc::new(Documents::new(limits.document, schema_index())),
            sockets,
            places: Places::new(&limits),
            queries: Gate::new(limits.requests),
            mutations: Gate::new(limits.requests),
            pace: Pace::new(limits.requests_a_minute),
            lacking: health_probes::lacking(),
            allowance,
            callers: Callers::new(allowance),
            client: Client::new(None, allowance),
            state,
        }
    }

    /// The same for the one who made this request, who may use this.
    fn asked_by(self, request: &Request, state: State) -> Self {
        let client = request.extensions().get().cloned().unwrap_or_else(|| Client::new(None, self.allowance));
        Self { state, client, ..self }
    }

    /// Counts this request.
    ///
    /// # Errors
    /// The refusal of a client whose requests of this minute are used up.
    fn check_rate(&self) -> Result<(), Refusal> {
        self.pace.check(self.rate_key()).map_err(|Limited { most, retry_after }| Refusal {
            code: "RATE_LIMITED",
            retry_after: Some(retry_after),
            ..Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!("At most {most} requests a minute are answered. Try again in {retry_after} seconds."),
            )
        })
    }

    /// The key under which requests are counted together: a token's name, wherever it is used; while none is needed, the
    /// client's address.
    fn rate_key(&self) -> String {
        let principal = self.state.principal();
        let address = || self.client.address().map(|address| address.to_string()).unwrap_or_default();
        // No token's name has a colon.
        if principal.is_local() { format!("from:{}", address()) } else { principal.name().to_owned() }
    }

    /// Who asks, however many connections they have.
    fn caller(&self) -> Arc<Caller> {
        let principal = self.state.principal();
        if principal.is_local() { self.client.caller() } else { self.callers.of(principal.name()) }
    }
}

/// Every route of the server, with all that stands before it. Pages of these origins may use it, besides its own.
#[must_use = "a router does nothing until it is served"]
pub fn router(state: State, sockets: Sockets, origins: &[Origin]) -> Router {
    let app = App::new(state, sockets);
    let mut guarded = Router::new()
        .route("/metrics", get(routes::metrics::text).layer(map_response(request_log::routine)))
        .route_layer(from_fn_with_state(app.clone(), authentication::recall))
        .merge(
            Router::new()
                .route("/graphql", get(routes::graphql::get).post(routes::graphql::post))
                .route_layer(from_fn_with_state(app.clone(), authentication::admit)),
        )
        // The page is for those too who have no token yet; over a socket the token may come with the first message.
        .route("/", get(graphiql::page))
        .route("/assets/{*path}", get(graphiql::asset))
        .route("/graphql/ws", any(websocket::open))
        .fallback(nothing_here);
    if !origins.is_empty() {
        guarded = guarded.layer(cors::cors(origins));
    }
    let guarded = guarded.layer(from_fn_with_state((app.clone(), Arc::from(origins)), host_check::guard));
    // A supervisor asks these by whatever name it knows the machine, and they tell nothing about a session.
    let open = Router::new()
        .route("/health/live", get(health_probes::live))
        .route("/health/ready", get(health_probes::ready))
        .layer(map_response(request_log::routine));
    let counted = from_fn_with_state(app.clone(), routes::metrics::count);
    request_log::layer(guarded.merge(open).layer(counted).with_state(app).layer(map_response(security_headers::secure)))
}

async fn nothing_here() -> (StatusCode, &'static str) {
    (
        StatusCode::NOT_FOUND,
        "There is nothing here. GraphQL is at /graphql.
",
    )
}
