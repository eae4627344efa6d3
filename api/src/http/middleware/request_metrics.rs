//! The metrics of requests: their number and duration.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use crate::http::app::App;

/// Records a request by its route, method and status after it has been answered.
///
/// All paths without a route share one label, and so do all methods other than GET and POST. Otherwise a client could
/// create arbitrary labels.
pub(in crate::http) async fn record_request(State(app): State<App>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        _ => "other",
    };
    let response = next.run(request).await;
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    app.state.metrics().requests().record_response(route, method, response.status().as_u16(), start.elapsed());
    response
}
