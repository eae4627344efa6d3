//! `/metrics`.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::graphql::error::chain;
use crate::http::App;
use crate::metrics::FORMAT;

/// The numbers of this process and of its database, as Prometheus reads them.
pub(in crate::http) async fn text(State(app): State<App>) -> Response {
    match app.state.metrics().text(app.state.database(), app.state.accepted()).await {
        Ok(text) => ([(CONTENT_TYPE, FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(error = chain(&error), "the metrics cannot be told");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Counts a request when it has been answered. What it asks for by a name of its own is counted together.
pub(in crate::http) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        _ => "other",
    };
    let response = next.run(request).await;
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    app.state.metrics().requests().answered(route, method, response.status().as_u16(), began.elapsed());
    response
}
