//! HTTP: who may talk to the server, and in what shape; what is asked for is GraphQL's.

mod answer;
mod bearer;
mod caller;
mod client;
mod connections;
mod gate;
mod graphql;
mod guard;
mod handed;
mod headers;
mod health;
mod listen;
mod log;
mod metrics;
mod origin;
mod pace;
mod page;
mod serve;
mod socket;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{any, get};

use crate::graphql::{Documents, Schema, State, builder};

use self::caller::{Allowance, Caller, Callers};
use self::client::Client;
use self::gate::Gate;
use self::pace::Pace;
use self::socket::Places;

pub use listen::check_listen;
pub use origin::{Origin, check_origins};
pub use serve::serve;
pub use socket::Sockets;

/// What the handlers share.
#[derive(Clone)]
struct App {
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
    lacking: health::Lacking,
    /// Who asks.
    client: Client,
}

impl App {
    fn new(state: State, sockets: Sockets) -> Self {
        let (limits, allowance) = (*state.limits(), Allowance::of(&state));
        Self {
            schema: builder().limit_complexity(limits.cost).finish(),
            documents: Arc::new(Documents::new(limits)),
            sockets,
            places: Places::new(&limits),
            queries: Gate::new(limits.requests),
            mutations: Gate::new(limits.requests),
            pace: Pace::new(limits.requests_a_minute),
            lacking: health::lacking(),
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
        .route("/metrics", get(metrics::text).layer(map_response(log::routine)))
        .route_layer(from_fn_with_state(app.clone(), bearer::recall))
        .merge(
            Router::new()
                .route("/graphql", get(graphql::get).post(graphql::post))
                .route_layer(from_fn_with_state(app.clone(), bearer::admit)),
        )
        // The page is for those too who have no token yet; over a socket the token may come with the first message.
        .route("/", get(page::page))
        .route("/assets/{*path}", get(page::asset))
        .route("/graphql/ws", any(socket::open))
        .fallback(nothing_here);
    if !origins.is_empty() {
        guarded = guarded.layer(origin::cors(origins));
    }
    let guarded = guarded.layer(from_fn_with_state((app.clone(), Arc::from(origins)), guard::guard));
    // A supervisor asks these by whatever name it knows the machine, and they tell nothing about a session.
    let open = Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .layer(map_response(log::routine));
    let counted = from_fn_with_state(app.clone(), metrics::count);
    log::layer(guarded.merge(open).layer(counted).with_state(app).layer(map_response(headers::secure)))
}

async fn nothing_here() -> (StatusCode, &'static str) {
    (
        StatusCode::NOT_FOUND,
        "There is nothing here. GraphQL is at /graphql.
",
    )
}
