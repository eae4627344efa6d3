//! The routes of the server and their middleware.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn_with_state, map_request, map_response};
use axum::routing::{any, get};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;

use super::app::App;
use super::middleware::cors::Origin;
use super::middleware::{authentication, cors, host_check, request_log, request_metrics, security_headers};
use super::routes::not_found::not_found;
use super::routes::{graphiql, graphql, health_probes, metrics};
use super::websocket::registry::Sockets;
use super::websocket::upgrade;
use crate::app_state::AppState;

/// Returns the server's routes with their middleware. Pages of `origins` may use the server, in addition to its own
/// page.
#[must_use = "a router does nothing until it is served"]
pub fn router(state: AppState, sockets: Sockets, origins: &[Origin]) -> Router {
    let app = App::new(state, sockets);
    // The page is available without a token. A WebSocket may send its token with the first message.
    let public = Router::new()
        .route("/", get(graphiql::page))
        .route("/assets/{*path}", get(graphiql::asset))
        .route("/graphql/ws", any(upgrade::open))
        .fallback(not_found);
    let graphql = Router::new().route("/graphql", get(graphql::get).post(graphql::post));
    let metrics = Router::new().route("/metrics", get(metrics::text));
    // Monitoring systems call the probes by any host name. The probes reveal nothing about sessions.
    let probes =
        Router::new().route("/health/live", get(health_probes::live)).route("/health/ready", get(health_probes::ready));
    add_middleware(Routes { public, graphql, metrics, probes }, app, origins)
}

/// The routes, grouped by the middleware that they need.
struct Routes {
    public: Router<App>,
    graphql: Router<App>,
    metrics: Router<App>,
    probes: Router<App>,
}

/// Wraps the routes in the server's middleware.
///
/// A layer wraps everything that was added before it. A request therefore passes the layers in the order of their numbers,
/// from the bottom of this function to its top. The response passes them in the opposite order.
fn add_middleware(routes: Routes, app: App, origins: &[Origin]) -> Router {
    let Routes { public, graphql, metrics, probes } = routes;
    // 10. Responses to monitoring systems, which send a request every few seconds, are logged at the level `debug`.
    let metrics = metrics.layer(map_response(request_log::mark_routine));
    let probes = probes.layer(map_response(request_log::mark_routine));
    // 9. Authentication inserts the request context that the handlers extract. The metrics also accept tokens from the
    //    cache, because metrics matter most while the database does not respond.
    let metrics = metrics.route_layer(from_fn_with_state(app.clone(), authentication::require_token_cached));
    let graphql = graphql.route_layer(from_fn_with_state(app.clone(), authentication::require_token));
    let mut guarded = metrics.merge(graphql).merge(public);
    // 8. CORS answers preflight requests and tells browsers which origins may read a response.
    if !origins.is_empty() {
        guarded = guarded.layer(cors::cors(origins));
    }
    // 7. The host and origin check refuses other sites' pages before anything is executed. The probes are not checked.
    let guarded = guarded.layer(from_fn_with_state((app.clone(), Arc::from(origins)), host_check::check_host));
    guarded
        .merge(probes)
        // 6. Request metrics count every response, including those of the layers above.
        .layer(from_fn_with_state(app.clone(), request_metrics::record_request))
        .with_state(app)
        // 5. Security headers are added to every response.
        .layer(map_response(security_headers::add_security_headers))
        // 4. The response carries the id of the request.
        .layer(PropagateRequestIdLayer::x_request_id())
        // 3. The span and the log line of the request.
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_log::request_span)
                .on_request(())
                .on_response(request_log::log_response)
                .on_failure(()),
        )
        // 2. A request without an id gets one.
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        // 1. An id that is unsafe in a log or in a header is removed.
        .layer(map_request(request_log::drop_unusable_id))
}
