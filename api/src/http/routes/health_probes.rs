//! The routes `/health/live` and `/health/ready` for supervisors.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::http::app::App;

/// The response of the readiness probe.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Readiness {
    ready: bool,
    /// The messages that name what the server lacks.
    missing: Arc<Vec<String>>,
}

/// Reports that the process is alive.
pub(in crate::http) async fn live() -> &'static str {
    "ok\n"
}

/// Reports whether the database can be reached and has the schema that this program needs.
pub(in crate::http) async fn ready(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let missing = app.readiness.missing_parts(app.state.database()).await;
    let ready = missing.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, missing }))
}
