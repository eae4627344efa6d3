//! One request, from its text to its answer.

use async_graphql::{Request, Response, Variables};

use super::document::Document;
use super::error::finish;
use super::limits;
use super::loaders::{answered, batches};
use super::omitted::leave_out;
use super::{Schema, State};

/// What a client sent.
#[derive(Debug, Default)]
pub struct Call {
    /// The text of the query.
    pub query: String,
    /// Which of its operations.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Variables,
}

/// Runs what a client sent. The loaders are made anew for each request: what they have read is never older than it.
pub async fn execute(schema: &Schema, state: &State, document: Document, call: Call, correlation_id: &str) -> Response {
    let response = answered(|work| {
        let mut document = document.into_inner();
        leave_out(&mut document, &call.variables);
        let mut request = Request::new(call.query)
            .variables(call.variables)
            .data(batches(state.database().clone(), state.gateway().cloned(), work))
            .data(state.clone());
        request.operation_name = call.operation_name;
        request.set_parsed_query(document);
        schema.execute(request)
    });
    let mut response = response.await;
    response.errors.iter_mut().for_each(limits::name_cost);
    finish(response, correlation_id)
}
