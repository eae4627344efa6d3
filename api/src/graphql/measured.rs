//! Operations with their account: which kind, which field of the root, what came of it and how long it took.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    ExecutableDocument, OperationType, Selection, SelectionSet, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Response, Value};
use futures_util::{Stream, StreamExt as _};

use super::document::Document;
use super::execute::{self, Call};
use super::{Schema, State, sdl};
use crate::metrics::Underway;

/// Runs what a client sent, and counts it.
pub async fn execute(schema: &Schema, state: &State, document: Document, call: Call, correlation_id: &str) -> Response {
    let mut underway = begin(state, &document, &call);
    let response = execute::execute(schema, state, document, call, correlation_id).await;
    underway.ends(code(&response));
    response
}

/// Runs a subscription, and counts it when it ends.
pub fn subscribe(
    schema: &Schema,
    state: &State,
    document: &Document,
    call: Call,
    correlation_id: &str,
) -> impl Stream<Item = Response> + Send + use<> {
    let mut underway = begin(state, document, &call);
    execute::subscribe(schema, state, document, call, correlation_id).map(move |response| {
        underway.ends(code(&response));
        response
    })
}

fn begin(state: &State, document: &Document, call: &Call) -> Underway {
    let (kind, field) = names(document, call.operation_name.as_deref());
    state.metrics().requests().operation(kind, field)
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
    static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
        let mut known = BTreeSet::from(["__schema", "__type", "__typename"].map(str::to_owned));
        let roots = ["Query", "Mutation", "Subscription"];
        for definition in parse_schema(sdl()).map(|document| document.definitions).unwrap_or_default() {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            if let TypeKind::Object(object) = definition.node.kind
                && roots.contains(&definition.node.name.node.as_str())
            {
                known.extend(object.fields.into_iter().map(|field| field.node.name.node.to_string()));
            }
        }
        known
    });
    KNOWN.get(field).map_or("none", String::as_str)
}
