//! `/graphql`.

use std::sync::Arc;

use async_graphql::Response as Outcome;
use async_graphql::parser::types::OperationType;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;

use crate::admission::mutation_permit::Leave;
use crate::admission::queue_limit::Full;
use crate::conformance::document::Document;
use crate::conformance::prepare::ExecutionRequest;
use crate::conformance::request::GraphqlRequest;
use crate::graphql;
use crate::graphql::allowed;
use crate::graphql::error::{BAD_USER_INPUT, TIMEOUT, refusal};
use crate::graphql::execute;
use crate::http::App;
use crate::http::graphql_over_http::request;
use crate::http::graphql_over_http::response::{Format, Refusal, overloaded};
use crate::http::middleware::{authentication, request_log};

/// A query in the address.
pub(in crate::http) async fn get(
    State(app): State<App>,
    Extension(state): Extension<graphql::State>,
    request: Request,
) -> Response {
    let (app, format) = (app.asked_by(&request, state), Format::accepted_by(request.headers()));
    match app.check_rate().and_then(|()| request::from_address(request.uri())) {
        Ok(sent) => run(&app, format, request.method(), sent, request_log::id_of(&request)).await,
        Err(refusal) => format.refuse(&refusal),
    }
}

/// A query or a mutation in the body.
pub(in crate::http) async fn post(
    State(app): State<App>,
    Extension(state): Extension<graphql::State>,
    request: Request,
) -> Response {
    let (app, format) = (app.asked_by(&request, state), Format::accepted_by(request.headers()));
    let id = request_log::id_of(&request).to_owned();
    if let Err(refusal) = app.check_rate() {
        return format.refuse(&refusal);
    }
    match request::from_body(request, app.state.limits(), &app.client, &app.caller()).await {
        Ok(sent) => run(&app, format, &Method::POST, sent, &id).await,
        Err(refusal) => format.refuse(&refusal),
    }
}

async fn run(app: &App, format: Format, method: &Method, sent: GraphqlRequest, id: &str) -> Response {
    let (document, call) = match app.documents.read(sent) {
        Ok(read) => read,
        Err(error) => return format.answer(&Outcome::from_errors(vec![error])),
    };
    let operation = document.operation(call.operation_name.as_deref());
    if let Some((Some(name), _)) = operation {
        request_log::note_operation(name);
    }
    if let Err(error) = allowed(&app.state, &document, call.operation_name.as_deref()) {
        return authentication::insufficient(format.refused(StatusCode::FORBIDDEN, error));
    }
    let kind = operation.map(|(_, kind)| kind);
    // Which one it is decides here: a page can make a browser send a GET without asking.
    match kind {
        Some(OperationType::Mutation | OperationType::Subscription) if method != Method::POST => {
            let message = "Only queries are answered to a GET: send this operation as a POST.";
            format
                .refuse(&Refusal { allow: Some(Method::POST), ..Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message) })
        }
        Some(OperationType::Subscription) => format.answer(&refusal(
            BAD_USER_INPUT,
            "Subscriptions are answered over a WebSocket at /graphql/ws that speaks graphql-transport-ws.",
        )),
        _ => match outcome(app, document, kind, call, id).await {
            Ok(outcome) => format.answer(&outcome),
            Err(Unanswered::GivenUp(outcome)) => format.executed(&outcome),
            Err(Unanswered::Overloaded) => format.refuse(&overloaded()),
        },
    }
}

/// Why a query or a mutation has no answer.
#[derive(Debug)]
pub(in crate::http) enum Unanswered {
    /// It took too long.
    GivenUp(Box<Outcome>),
    /// It was not begun: as many are executed as may be.
    Overloaded,
}

/// What comes of a query or a mutation.
pub(in crate::http) async fn outcome(
    app: &App,
    document: Document,
    kind: Option<OperationType>,
    call: ExecutionRequest,
    id: &str,
) -> Result<Outcome, Unanswered> {
    let is_mutation = kind == Some(OperationType::Mutation);
    let caller = app.caller();
    // Their own turn first: who waits for it keeps nobody else out.
    let (own, all) = if is_mutation { (&caller.mutations, &app.mutations) } else { (&caller.queries, &app.queries) };
    let enter = async || Ok::<_, Full>((own.enter().await?, all.enter().await?));
    let places = enter().await.map_err(|_full| Unanswered::Overloaded)?;
    if is_mutation {
        // What is under way goes on when nobody waits for it any more, and keeps its places.
        let state = app.state.clone().with_leave(Leave::new(places, Arc::clone(&caller.locks)));
        return Ok(execute(&app.schema, &state, document, call, id).await);
    }
    let outcome = execute(&app.schema, &app.state, document, call, id);
    let patience = app.state.limits().query_time;
    tokio::time::timeout(patience, outcome).await.map_err(|_| {
        let seconds = patience.as_secs();
        let message = format!("The query took longer than {seconds} seconds and was given up. Nothing was changed.");
        Unanswered::GivenUp(Box::new(refusal(TIMEOUT, message)))
    })
}
