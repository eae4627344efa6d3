//! `/metrics`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

use super::App;
use crate::graphql::error::chain;
use crate::metrics::FORMAT;

/// The numbers of this process and of its database, as Prometheus reads them.
pub(super) async fn text(State(app): State<App>) -> Response {
    match app.state.metrics().text(app.state.database()).await {
        Ok(text) => ([(CONTENT_TYPE, FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(error = chain(&error), "the metrics cannot be told");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
