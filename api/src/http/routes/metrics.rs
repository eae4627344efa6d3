//! The route `/metrics`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

use crate::graphql::error::error_chain;
use crate::http::app::App;
use crate::metrics::FORMAT;

/// Returns the metrics of this process and of its database in Prometheus' text format.
pub(in crate::http) async fn text(State(app): State<App>) -> Response {
    match app.state.metrics().render(app.state.database(), app.state.accepted()).await {
        Ok(text) => ([(CONTENT_TYPE, FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(target: "session_admin::http", error = error_chain(&error), "the metrics cannot be collected");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
