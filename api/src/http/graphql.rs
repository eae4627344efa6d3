//! `/graphql`.

use std::time::Duration;

use async_graphql::Response as Outcome;
use async_graphql::parser::types::OperationType;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::answer::{Format, Refusal};
use super::{App, bearer, log, wire};
use crate::graphql::document::Document;
use crate::graphql::error::{BAD_USER_INPUT, TIMEOUT, refusal};
use crate::graphql::{self, Call, allowed, execute};

/// How long a query may take. A mutation takes as long as the database lets it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A query in the address.
pub(super) async fn get(
    State(app): State<App>,
    Extension(state): Extension<graphql::State>,
    request: Request,
) -> Response {
    let app = App { state, ..app };
    let format = Format::accepted_by(request.headers());
    match wire::from_address(request.uri()) {
        Ok(call) => run(&app, format, request.method(), call, log::id_of(&request)).await,
        Err(refusal) => format.refuse(&refusal),
    }
}

/// A query or a mutation in the body.
pub(super) async fn post(
    State(app): State<App>,
    Extension(state): Extension<graphql::State>,
    request: Request,
) -> Response {
    let app = App { state, ..app };
    let format = Format::accepted_by(request.headers());
    let id = log::id_of(&request).to_owned();
    match wire::from_body(request).await {
        Ok(call) => run(&app, format, &Method::POST, call, &id).await,
        Err(refusal) => format.refuse(&refusal),
    }
}

async fn run(app: &App, format: Format, method: &Method, call: Call, id: &str) -> Response {
    let document = match app.documents.read(&call.query) {
        Ok(document) => document,
        Err(error) => return format.answer(&Outcome::from_errors(vec![error])),
    };
    let operation = document.operation(call.operation_name.as_deref());
    if let Some((Some(name), _)) = operation {
        log::note_operation(name);
    }
    if let Err(error) = allowed(&document, call.operation_name.as_deref(), app.state.principal()) {
        tracing::info!(why = error.message, "forbidden");
        return bearer::insufficient(format.refused(StatusCode::FORBIDDEN, error));
    }
    let kind = operation.map(|(_, kind)| kind);
    // Which one it is decides here: a page can make a browser send a GET without asking.
    match kind {
        Some(OperationType::Mutation | OperationType::Subscription) if method != Method::POST => {
            format.refuse(&Refusal {
                status: StatusCode::METHOD_NOT_ALLOWED,
                message: "Only queries are answered to a GET: send this operation as a POST.".to_owned(),
                allow: Some(Method::POST),
            })
        }
        Some(OperationType::Subscription) => format.answer(&refusal(
            BAD_USER_INPUT,
            "Subscriptions are answered over a WebSocket at /graphql/ws that speaks graphql-transport-ws.",
        )),
        _ => match outcome(app, document, kind, call, id).await {
            Ok(outcome) => format.answer(&outcome),
            Err(given_up) => format.executed(&given_up),
        },
    }
}

/// What comes of a query or a mutation; an error says that a query was given up.
pub(super) async fn outcome(
    app: &App,
    document: Document,
    kind: Option<OperationType>,
    call: Call,
    id: &str,
) -> Result<Outcome, Outcome> {
    let outcome = execute(&app.schema, &app.state, document, call, id);
    if kind == Some(OperationType::Mutation) {
        return Ok(outcome.await);
    }
    tokio::time::timeout(PATIENCE, outcome)
        .await
        .map_err(|_| refusal(TIMEOUT, "The query took too long and was given up. Nothing was changed."))
}
