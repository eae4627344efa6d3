//! What a supervisor asks: does the process live, can it do its work.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use moka::future::Cache;
use serde::Serialize;

use crate::graphql::error::chain;
use crate::http::App;

/// How long the database has for its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long its answer is believed.
const BELIEVED: Duration = Duration::from_secs(1);

/// Whether the server can do its work.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Readiness {
    ready: bool,
    /// What it lacks, in words.
    missing: Arc<Vec<String>>,
}

/// What the server lacked a moment ago. Anybody may ask, as often as they like, and the database is asked once a second.
pub(in crate::http) type Lacking = Cache<(), Arc<Vec<String>>>;

pub(in crate::http) fn lacking() -> Lacking {
    Cache::builder().time_to_live(BELIEVED).build()
}

/// The process answers.
pub(in crate::http) async fn live() -> &'static str {
    "ok\n"
}

/// The database answers too, and has the schema that this program needs; a purge that is pending changes nothing about it.
pub(in crate::http) async fn ready(State(app): State<App>) -> (StatusCode, Json<Readiness>) {
    let missing = app.lacking.get_with((), async { Arc::new(missing(&app).await) }).await;
    let ready = missing.is_empty();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, missing }))
}

async fn missing(app: &App) -> Vec<String> {
    tokio::time::timeout(PATIENCE, looked_up(app))
        .await
        .unwrap_or_else(|_| vec![format!("The database has not answered within {} seconds.", PATIENCE.as_secs())])
}

async fn looked_up(app: &App) -> Vec<String> {
    let pool = app.state.database().pool();
    if let Err(error) = pool.ping().await {
        tracing::warn!(error = chain(&error), "not ready: the database does not answer");
        return vec!["The database cannot be reached.".to_owned()];
    }
    match migration::list_pending(pool).await {
        Ok(pending) if pending.iter().all(|name| name == migration::STALE_PURGE) => Vec::new(),
        Ok(pending) => {
            vec![format!("Migrations are pending: {}. `session-admin migrate` makes them.", pending.join(", "))]
        }
        Err(error) => {
            tracing::warn!(error = chain(&error), "not ready: the migrations cannot be read");
            vec!["The state of the migrations cannot be read; the log says why.".to_owned()]
        }
    }
}
