//! One request, from its text to its answer.

use std::sync::Arc;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, ServerError, Value, Variables};
use futures_util::{Stream, StreamExt as _, stream};

use super::batch_scheduler::{Work, answered, each_answered};
use crate::admission::mutation_permit::MutationPermit;
use crate::admission::request_permit::RequestPermit;
use crate::conformance::document::Document;
use crate::conformance::rewrite::omitted_variables::{leave_out, put_defaults};
use crate::conformance::rewrite::operation::chosen;
use crate::conformance::rewrite::skip_include::check_conditions;
use crate::graphql::error::finish;
use crate::graphql::field_cost;
use crate::graphql::loaders::batches;
use crate::graphql::{RequestContext, Schema};
use crate::limits::Limits;

/// What a client sent, once its document has been read.
#[derive(Debug, Default)]
pub struct Call {
    /// Which of the document's operations.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Variables,
}

/// Runs what a client sent. The loaders are made anew for each request: what they have read is never older than it.
pub async fn execute(
    schema: &Schema,
    context: &RequestContext,
    document: Document,
    call: Call,
    correlation_id: &str,
) -> Response {
    let name = call.operation_name.clone();
    let request = match request(&document, call) {
        Ok(request) => request,
        Err(error) => return Response::from_errors(vec![error]),
    };
    let is_mutation = matches!(document.operation(name.as_deref()), Some((_, OperationType::Mutation)));
    let context = if is_mutation { for_mutation(context) } else { for_query(context).await };
    let answer = answered(context.permit().clone(), |work| schema.execute(with(request, &context, work)));
    let mut response = answer.await;
    if response.data == Value::Null && response.errors.is_empty() {
        // Every field was skipped.
        response.data = Value::Object(IndexMap::new());
    }
    document.put_right(name.as_deref(), &mut response);
    finished(response, context.state().limits(), correlation_id)
}

/// Runs a subscription: one answer for each event, and the end with its last. Loaders keep nothing of what they have read,
/// so every event reads anew, in its turn.
pub fn subscribe(
    schema: &Schema,
    context: &RequestContext,
    document: &Document,
    call: Call,
    correlation_id: &str,
) -> impl Stream<Item = Response> + Send + use<> {
    let (asked, name) = (document.clone(), call.operation_name.clone());
    let request = match request(document, call) {
        Ok(request) => request,
        Err(error) => return stream::iter([Response::from_errors(vec![error])]).left_stream(),
    };
    let (correlation_id, limits) = (correlation_id.to_owned(), *context.state().limits());
    let permit = context.state().permits().event();
    let context = context.clone().with_permit(RequestPermit::Subscription(permit.clone()));
    let responses = each_answered(|work| schema.execute_stream(with(request, &context, work)));
    let finished = responses.map(move |mut response| {
        permit.release();
        asked.put_right(name.as_deref(), &mut response);
        finished(response, &limits, &correlation_id)
    });
    finished.right_stream()
}

/// Whether an answer is that of an operation which was executed, even where nothing came of it.
#[must_use]
pub fn was_executed(response: &Response) -> bool {
    // The library gives every error of an execution its path, and none to an error found before.
    response.errors.is_empty()
        || response.data != Value::Null
        || response.errors.iter().any(|error| !error.path.is_empty())
}

/// What the library executes, with the values of its variables.
fn request(document: &Document, call: Call) -> Result<Request, ServerError> {
    let Call { operation_name, mut variables, .. } = call;
    document.check(operation_name.as_deref(), &variables)?;
    let executed = match chosen(document, operation_name.as_deref()) {
        Some(mut chosen) => {
            put_defaults(&chosen, &mut variables);
            check_conditions(&chosen, &variables)?;
            leave_out(&mut chosen, &variables);
            chosen
        }
        // Which one is meant is for the library to ask.
        None => document.inner().clone(),
    };
    let mut request = Request::new("").variables(variables);
    request.operation_name = operation_name;
    request.set_parsed_query(executed);
    Ok(request)
}

/// Waits for the permit of a query.
async fn for_query(context: &RequestContext) -> RequestContext {
    let permits = context.state().permits().acquire_query().await;
    context.clone().with_permit(RequestPermit::Query(Arc::new(permits)))
}

/// Returns the context with the permit that the server has given to the mutation. Without a server around it, the mutation is
/// not limited.
fn for_mutation(context: &RequestContext) -> RequestContext {
    match context.permit() {
        RequestPermit::Mutation(_) => context.clone(),
        _ => context.clone().with_permit(RequestPermit::Mutation(MutationPermit::unlimited())),
    }
}

fn with(request: Request, context: &RequestContext, work: Work) -> Request {
    let state = context.state();
    request.data(batches(state.database().clone(), state.gateway().cloned(), work)).data(context.clone())
}

fn finished(mut response: Response, limits: &Limits, correlation_id: &str) -> Response {
    response.errors.iter_mut().for_each(|error| field_cost::name_cost(error, limits.cost));
    finish(response, correlation_id)
}
