//! The execution of operations with metrics: the kind of an operation, its root field, the code of its first error and
//! its duration.

use std::collections::BTreeSet;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError, Value};
use futures_util::{Stream, StreamExt as _};

use super::execute;
use crate::conformance::document::Document;
use crate::conformance::prepare::ExecutionRequest;
use crate::conformance::visit::fields_at_root;
use crate::graphql::error::FORBIDDEN;
use crate::graphql::{RequestContext, Schema, field_roles, schema_index};
use crate::metrics::OperationGuard;

/// Checks that the principal's role suffices for every field of an operation. Counts a refused operation.
///
/// # Errors
/// Returns FORBIDDEN, with the field and the role that it requires.
pub fn authorize(context: &RequestContext, document: &Document, operation: Option<&str>) -> Result<(), ServerError> {
    field_roles::check_roles(document, operation, context.principal()).inspect_err(|error| {
        tracing::info!(target: "session_admin::graphql", reason = error.message, "forbidden");
        start_operation(context, document, operation).set_outcome(FORBIDDEN);
    })
}

/// Executes a query or a mutation and counts it.
pub async fn execute(
    schema: &Schema,
    context: &RequestContext,
    document: Document,
    request: ExecutionRequest,
    correlation_id: &str,
) -> Response {
    let mut operation = start_operation(context, &document, request.operation_name.as_deref());
    let response = execute::execute(schema, context, document, request, correlation_id).await;
    operation.set_outcome(result_code(&response));
    response
}

/// Executes a subscription and counts it when it ends.
pub fn subscribe(
    schema: &Schema,
    context: &RequestContext,
    document: &Document,
    request: ExecutionRequest,
    correlation_id: &str,
) -> impl Stream<Item = Response> + Send + use<> {
    let mut operation = start_operation(context, document, request.operation_name.as_deref());
    execute::subscribe(schema, context, document, request, correlation_id).map(move |response| {
        operation.set_outcome(result_code(&response));
        response
    })
}

fn start_operation(context: &RequestContext, document: &Document, operation: Option<&str>) -> OperationGuard {
    let (kind, field) = operation_labels(document, operation);
    context.state().metrics().requests().operation(kind, field)
}

/// Returns the code of the first error, or OK if there is none.
fn result_code(response: &Response) -> &str {
    let Some(error) = response.errors.first() else { return "OK" };
    match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(Value::String(code)) => code,
        _ => "INTERNAL",
    }
}

/// Returns the kind of the selected operation and its root field.
///
/// The field is `several` if there is more than one, and `none` if the schema does not define it.
fn operation_labels(document: &Document, name: Option<&str>) -> (&'static str, &'static str) {
    let Some((_, operation)) = document.definition(name) else { return ("none", "none") };
    let kind = match operation.node.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let mut fields = BTreeSet::new();
    fields_at_root(&operation.node.selection_set.node, &document.ast().fragments, |field, _| {
        fields.insert(field.name.node.as_str());
    });
    let field = if fields.len() > 1 { "several" } else { fields.pop_first().map_or("none", known_field) };
    (kind, field)
}

/// Returns the name of a root field, or `none` if the schema does not define it. Other names must not become labels.
fn known_field(field: &str) -> &'static str {
    let meta_field = ["__schema", "__type", "__typename"].into_iter().find(|known| *known == field);
    let find_root_field = || {
        let roots = [OperationType::Query, OperationType::Mutation, OperationType::Subscription];
        roots.into_iter().find_map(|root| schema_index().field(schema_index().root_type(root), field))
    };
    meta_field.or_else(|| find_root_field().map(|(name, _)| name)).unwrap_or("none")
}
