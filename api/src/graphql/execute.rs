//! One request, from its text to its answer.

use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, Value, Variables};
use futures_util::{Stream, StreamExt as _};

use super::document::Document;
use super::error::finish;
use super::limits;
use super::loaders::{Work, answered, batches, each_answered};
use super::omitted::leave_out;
use super::root::AtRoot;
use super::share::Share;
use super::{Schema, State};

/// What a client sent, once its document has been read.
#[derive(Debug, Default)]
pub struct Call {
    /// Which of the document's operations.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Variables,
}

/// Runs what a client sent. The loaders are made anew for each request: what they have read is never older than it.
pub async fn execute(schema: &Schema, state: &State, document: Document, call: Call, correlation_id: &str) -> Response {
    if let Err(error) = document.check_values(call.operation_name.as_deref(), &call.variables) {
        return Response::from_errors(vec![error]);
    }
    let (asked, name) = (document.clone(), call.operation_name.clone());
    let is_mutation = matches!(asked.operation(name.as_deref()), Some((_, OperationType::Mutation)));
    let share = Arc::new(if is_mutation { Share::of_mutation() } else { state.share().await });
    let root = Arc::new(AtRoot::new(Arc::clone(&share)));
    let data = Arc::clone(&root);
    let answer = answered(share, |work| schema.execute(request(state, document, call, work).data(data)));
    let mut response = answer.await;
    if root.has_failed() {
        response.data = Value::Null;
    } else if response.data == Value::Null && response.errors.is_empty() {
        // Every field was skipped.
        response.data = Value::Object(IndexMap::new());
    }
    asked.put_in_order(name.as_deref(), &mut response.data);
    finished(response, state, correlation_id)
}

/// Runs a subscription: one answer for each event, and the end with its last. Loaders keep nothing of what they have read,
/// so every event reads anew, in its turn.
pub fn subscribe(
    schema: &Schema,
    state: &State,
    document: Document,
    call: Call,
    correlation_id: &str,
) -> impl Stream<Item = Response> + Send + use<> {
    let (correlation_id, turn, of) = (correlation_id.to_owned(), state.turn(), state.clone());
    let responses =
        each_answered(|work| schema.execute_stream(request(state, document, call, work).data(turn.clone())));
    responses.map(move |response| {
        turn.end();
        finished(response, &of, &correlation_id)
    })
}

/// Whether an answer is that of an operation which was executed, even where nothing came of it.
#[must_use]
pub fn was_executed(response: &Response) -> bool {
    // The library gives every error of an execution its path, and none to an error found before.
    response.errors.is_empty()
        || response.data != Value::Null
        || response.errors.iter().any(|error| !error.path.is_empty())
}

fn request(state: &State, document: Document, call: Call, work: Work) -> Request {
    let mut document = document.into_inner();
    leave_out(&mut document, &call.variables);
    let mut request = Request::new("")
        .variables(call.variables)
        .data(batches(state.database().clone(), state.gateway().cloned(), work))
        .data(state.clone());
    request.operation_name = call.operation_name;
    request.set_parsed_query(document);
    request
}

fn finished(mut response: Response, state: &State, correlation_id: &str) -> Response {
    response.errors.iter_mut().for_each(|error| limits::name_cost(error, state.limits().cost));
    finish(response, correlation_id)
}
