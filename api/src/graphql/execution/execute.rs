//! The execution of one request and the repair of its response.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response};
use futures_util::{Stream, StreamExt as _, stream};

use super::batch_scheduler::{SpawnBatch, run_with_batches, stream_with_batches};
use crate::admission::mutation_permit::MutationPermit;
use crate::admission::request_permit::RequestPermit;
use crate::conformance::document::Document;
use crate::conformance::prepare::{ExecutionRequest, prepare_request};
use crate::graphql::error::finalize_errors;
use crate::graphql::field_cost;
use crate::graphql::loaders::request_loader;
use crate::graphql::{RequestContext, Schema};
use crate::limits::Limits;

/// Executes a query or a mutation. Each request has a new loader, so that data is never older than the request.
pub async fn execute(
    schema: &Schema,
    context: &RequestContext,
    document: Document,
    request: ExecutionRequest,
    correlation_id: &str,
) -> Response {
    let name = request.operation_name.clone();
    let request = match prepare_request(&document, request) {
        Ok(request) => request,
        Err(error) => return Response::from_errors(vec![error]),
    };
    let is_mutation = matches!(document.operation(name.as_deref()), Some((_, OperationType::Mutation)));
    let context = if is_mutation { with_mutation_permit(context) } else { with_query_permit(context).await };
    let permit = context.permit().clone();
    let response = run_with_batches(permit, |spawn| schema.execute(with_context(request, &context, spawn)));
    let mut response = response.await;
    document.repair_response(name.as_deref(), &mut response);
    finalize(response, context.state().limits(), correlation_id)
}

/// Executes a subscription and returns one response for each event.
///
/// The stream ends with the last event. Loaders cache nothing, so that every event reads current data once it holds a
/// permit.
pub fn subscribe(
    schema: &Schema,
    context: &RequestContext,
    document: &Document,
    request: ExecutionRequest,
    correlation_id: &str,
) -> impl Stream<Item = Response> + Send + use<> {
    let (document, name) = (document.clone(), request.operation_name.clone());
    let request = match prepare_request(&document, request) {
        Ok(request) => request,
        Err(error) => return stream::iter([Response::from_errors(vec![error])]).left_stream(),
    };
    let (correlation_id, limits) = (correlation_id.to_owned(), *context.state().limits());
    let permit = context.state().permits().event();
    let context = context.clone().with_permit(RequestPermit::Subscription(permit.clone()));
    let responses = stream_with_batches(|spawn| schema.execute_stream(with_context(request, &context, spawn)));
    let responses = responses.map(move |mut response| {
        permit.release();
        document.repair_response(name.as_deref(), &mut response);
        finalize(response, &limits, &correlation_id)
    });
    responses.right_stream()
}

fn with_context(request: Request, context: &RequestContext, spawn: SpawnBatch) -> Request {
    let state = context.state();
    request.data(request_loader(state.database().clone(), state.gateway().cloned(), spawn)).data(context.clone())
}

/// Waits for the permit of a query and returns the context with it.
async fn with_query_permit(context: &RequestContext) -> RequestContext {
    let permits = context.state().permits().acquire_query().await;
    context.clone().with_permit(RequestPermit::Query(Arc::new(permits)))
}

/// Returns the context with the permit that the server has granted to the mutation. Without a server, the mutation is
/// not limited.
fn with_mutation_permit(context: &RequestContext) -> RequestContext {
    match context.permit() {
        RequestPermit::Mutation(_) => context.clone(),
        _ => context.clone().with_permit(RequestPermit::Mutation(MutationPermit::unlimited())),
    }
}

fn finalize(mut response: Response, limits: &Limits, correlation_id: &str) -> Response {
    response.errors.iter_mut().for_each(|error| field_cost::explain_cost(error, limits.cost));
    finalize_errors(response, correlation_id)
}
