//! The route `/graphql`, which executes queries and mutations.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;

use crate::admission::mutation_permit::MutationPermit;
use crate::admission::queue_limit::Overloaded;
use crate::admission::request_permit::RequestPermit;
use crate::conformance::document::Document;
use crate::conformance::prepare::ExecutionRequest;
use crate::conformance::request::GraphqlRequest;
use crate::graphql::error::{BAD_USER_INPUT, TIMEOUT, error_response};
use crate::graphql::{RequestContext, authorize, execute};
use crate::http::app::{App, Caller};
use crate::http::graphql_over_http::body::read_body;
use crate::http::graphql_over_http::request::from_address;
use crate::http::graphql_over_http::response::{Format, Refusal, overloaded};
use crate::http::middleware::{authentication, request_log};

/// Executes the query in the URI of a GET.
pub(in crate::http) async fn get(
    State(app): State<App>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Response {
    let (caller, format) = (app.for_request(&request, context), Format::accepted_by(request.headers()));
    match caller.check_rate().and_then(|()| from_address(request.uri())) {
        Ok(graphql_request) => {
            execute_request(&caller, format, request.method(), graphql_request, request_log::id_of(&request)).await
        }
        Err(refusal) => format.refuse(&refusal),
    }
}

/// Executes the query or mutation in the body of a POST.
pub(in crate::http) async fn post(
    State(app): State<App>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Response {
    let (caller, format) = (app.for_request(&request, context), Format::accepted_by(request.headers()));
    let id = request_log::id_of(&request).to_owned();
    if let Err(refusal) = caller.check_rate() {
        return format.refuse(&refusal);
    }
    match read_body(request, caller.app.state.limits(), &caller.connection, &caller.quota()).await {
        Ok(graphql_request) => execute_request(&caller, format, &Method::POST, graphql_request, &id).await,
        Err(refusal) => format.refuse(&refusal),
    }
}

async fn execute_request(
    caller: &Caller,
    format: Format,
    method: &Method,
    graphql_request: GraphqlRequest,
    id: &str,
) -> Response {
    let (document, call) = match caller.app.documents.read(graphql_request) {
        Ok(read) => read,
        Err(error) => return format.answer(&async_graphql::Response::from_errors(vec![error])),
    };
    let operation = document.operation(call.operation_name.as_deref());
    if let Some((Some(name), _)) = operation {
        request_log::record_operation(name);
    }
    if let Err(error) = authorize(&caller.context, &document, call.operation_name.as_deref()) {
        return authentication::insufficient_scope(format.refused(StatusCode::FORBIDDEN, error));
    }
    let kind = operation.map(|(_, kind)| kind);
    // The operation to execute decides, not the whole document. A page can make a browser send a GET without a
    // preflight request.
    match kind {
        Some(OperationType::Mutation | OperationType::Subscription) if method != Method::POST => {
            let message = "GET is for queries only: send this operation as a POST.";
            format
                .refuse(&Refusal { allow: Some(Method::POST), ..Refusal::new(StatusCode::METHOD_NOT_ALLOWED, message) })
        }
        Some(OperationType::Subscription) => format.answer(&error_response(
            BAD_USER_INPUT,
            "Subscriptions need a WebSocket: use /graphql/ws with the subprotocol graphql-transport-ws.",
        )),
        _ => match execute_limited(caller, document, kind, call, id).await {
            Ok(response) => format.answer(&response),
            Err(NotExecuted::TimedOut(response)) => format.executed(&response),
            Err(NotExecuted::Overloaded) => format.refuse(&overloaded()),
        },
    }
}

/// The reason for which a query or a mutation has no result.
#[derive(Debug)]
pub(in crate::http) enum NotExecuted {
    /// The operation exceeded its timeout. The response states so.
    TimedOut(Box<async_graphql::Response>),
    /// No permit was available.
    Overloaded,
}

/// Executes a query or a mutation within the limits of its client and of the process.
///
/// # Errors
/// Returns [`NotExecuted`] if a query exceeds its timeout or if no permit is available.
pub(in crate::http) async fn execute_limited(
    caller: &Caller,
    document: Document,
    kind: Option<OperationType>,
    call: ExecutionRequest,
    id: &str,
) -> Result<async_graphql::Response, NotExecuted> {
    let (app, quota) = (&caller.app, caller.quota());
    let is_mutation = kind == Some(OperationType::Mutation);
    let (client_limit, process_limit) =
        if is_mutation { (&quota.mutations, &app.mutations) } else { (&quota.queries, &app.queries) };
    // The client's permit is acquired first, so that a client that waits for it holds no permit of the process.
    let acquire = async || Ok::<_, Overloaded>((client_limit.acquire().await?, process_limit.acquire().await?));
    let (client, process) = acquire().await.map_err(|Overloaded| NotExecuted::Overloaded)?;
    if is_mutation {
        // The detached task holds the permits because it continues when the client disconnects.
        let permit = MutationPermit::new(client, process, Arc::clone(&quota.locks));
        let context = caller.context.clone().with_permit(RequestPermit::Mutation(permit));
        return Ok(execute(&app.schema, &context, document, call, id).await);
    }
    let response = execute(&app.schema, &caller.context, document, call, id);
    let query_timeout = app.state.limits().query_timeout;
    tokio::time::timeout(query_timeout, response).await.map_err(|_| {
        let seconds = query_timeout.as_secs();
        let message = format!("The query took longer than {seconds} seconds and was cancelled. Nothing was changed.");
        NotExecuted::TimedOut(Box::new(error_response(TIMEOUT, message)))
    })
}
