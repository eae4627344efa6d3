//! Operations with their account: which kind, which field of the root, what came of it and how long it took.

use std::collections::BTreeSet;

use async_graphql::parser::types::{ExecutableDocument, OperationType, Selection, SelectionSet};
use async_graphql::{Response, ServerError, Value};
use futures_util::{Stream, StreamExt as _};

use super::execute::{self, Call};
use crate::conformance::document::Document;
use crate::conformance::schema_index;
use crate::graphql::error::FORBIDDEN;
use crate::graphql::{RequestContext, Schema, field_roles};
use crate::metrics::Underway;

/// Passes an operation where the caller's role is enough for each of its fields, and counts one that is refused.
///
/// # Errors
/// FORBIDDEN, with the field and the role that it needs.
pub fn allowed(context: &RequestContext, document: &Document, operation: Option<&str>) -> Result<(), ServerError> {
    field_roles::allowed(document, operation, context.principal()).inspect_err(|error| {
        tracing::info!(why = error.message, "forbidden");
        begin(context, document, operation).ends(FORBIDDEN);
    })
}

/// Runs what a client sent, and counts it.
pub async fn execute(
    schema: &Schema,
    context: &RequestContext,
    document: Document,
    call: Call,
    correlation_id: &str,
) -> Response {
    let mut underway = begin(context, &document, call.operation_name.as_deref());
    let response = execute::execute(schema, context, document, call, correlation_id).await;
    underway.ends(code(&response));
    response
}

/// Runs a subscription, and counts it when it ends.
pub fn subscribe(
    schema: &Schema,
    context: &RequestContext,
    document: &Document,
    call: Call,
    correlation_id: &str,
) -> impl Stream<Item = Response> + Send + use<> {
    let mut underway = begin(context, document, call.operation_name.as_deref());
    execute::subscribe(schema, context, document, call, correlation_id).map(move |response| {
        underway.ends(code(&response));
        response
    })
}

fn begin(context: &RequestContext, document: &Document, operation: Option<&str>) -> Underway {
    let (kind, field) = names(document, operation);
    context.state().metrics().requests().operation(kind, field)
}

/// The code of the first error, and OK without any.
fn code(response: &Response) -> &str {
    let Some(error) = response.errors.first() else { return "OK" };
    match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(Value::String(code)) => code,
        _ => "INTERNAL",
    }
}

/// The kind of the operation that would run, and its field at the root: `several` where it has more than one, `none` where
/// the schema has no such field.
fn names(document: &Document, name: Option<&str>) -> (&'static str, &'static str) {
    let Some((_, operation)) = document.definition(name) else { return ("none", "none") };
    let kind = match operation.node.ty {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    };
    let mut fields = BTreeSet::new();
    collect(document.inner(), &operation.node.selection_set.node, &mut fields);
    let field = if fields.len() > 1 { "several" } else { fields.pop_first().map_or("none", known) };
    (kind, field)
}

/// The fields at the root. That fragments end has been seen when the document was read.
fn collect<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, fields: &mut BTreeSet<&'a str>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                fields.insert(&field.node.name.node);
            }
            Selection::InlineFragment(fragment) => collect(document, &fragment.node.selection_set.node, fields),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect(document, &fragment.node.selection_set.node, fields);
                }
            }
        }
    }
}

/// The name, if it is one of the schema's. Others must not become labels.
fn known(field: &str) -> &'static str {
    let of_every_type = ["__schema", "__type", "__typename"].into_iter().find(|known| *known == field);
    let of_roots =
        || ["Query", "Mutation", "Subscription"].into_iter().find_map(|root| schema_index::field(root, field));
    of_every_type.or_else(|| of_roots().map(|(name, _)| name)).unwrap_or("none")
}
