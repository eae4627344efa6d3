//! The execution of one request, and the correction of its response.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response};
use futures_util::{Stream, StreamExt as _, stream};

use super::batch_scheduler::{SpawnBatch, run_with_batches, stream_with_batches};
use crate::admission::query_permits::Share;
use crate::conformance::document::Document;
use crate::conformance::prepare::{ExecutionRequest, prepare_request};
use crate::graphql::error::finish;
use crate::graphql::field_cost;
use crate::graphql::loaders::batches;
use crate::graphql::{Schema, State};

/// Executes a query or a mutation. Its loader is new, so that what it reads is never older than the request.
pub async fn execute(
    schema: &Schema,
    state: &State,
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
    let share = Arc::new(if is_mutation { Share::of_mutation() } else { state.share().await });
    let data = Arc::clone(&share);
    let response = run_with_batches(share, |spawn| schema.execute(with_context(request, state, spawn).data(data)));
    let mut response = response.await;
    document.repair_response(name.as_deref(), &mut response);
    finalize(response, state, correlation_id)
}

/// Executes a subscription: the stream has one response for each event, and ends with the last. Loaders cache nothing, so
/// that every event reads anew, once it has a permit.
pub fn subscribe(
    schema: &Schema,
    state: &State,
    document: &Document,
    request: ExecutionRequest,
    correlation_id: &str,
) -> impl Stream<Item = Response> + Send + use<> {
    let (document, name) = (document.clone(), request.operation_name.clone());
    let request = match prepare_request(&document, request) {
        Ok(request) => request,
        Err(error) => return stream::iter([Response::from_errors(vec![error])]).left_stream(),
    };
    let (correlation_id, permit, state) = (correlation_id.to_owned(), state.turn(), state.clone());
    let responses =
        stream_with_batches(|spawn| schema.execute_stream(with_context(request, &state, spawn).data(permit.clone())));
    let responses = responses.map(move |mut response| {
        permit.end();
        document.repair_response(name.as_deref(), &mut response);
        finalize(response, &state, &correlation_id)
    });
    responses.right_stream()
}

fn with_context(request: Request, state: &State, spawn: SpawnBatch) -> Request {
    request.data(batches(state.database().clone(), state.gateway().cloned(), spawn)).data(state.clone())
}

fn finalize(mut response: Response, state: &State, correlation_id: &str) -> Response {
    response.errors.iter_mut().for_each(|error| field_cost::explain_cost(error, state.limits().cost));
    finish(response, correlation_id)
}
