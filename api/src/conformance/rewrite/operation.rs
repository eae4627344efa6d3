//! What of a document is executed: the operation that was chosen, with the fragments that it spreads. What another operation
//! says of a variable of the same name does not matter then.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet};

use crate::conformance::document::Document;

/// The part of the document that is executed; none where the name does not decide which.
pub(crate) fn chosen(document: &Document, name: Option<&str>) -> Option<ExecutableDocument> {
    let (name, operation) = document.definition(name)?;
    let operations = match name {
        Some(name) => DocumentOperations::Multiple(HashMap::from([(Name::new(name), operation.clone())])),
        None => DocumentOperations::Single(operation.clone()),
    };
    let known = &document.inner().fragments;
    let mut fragments = HashMap::new();
    let mut sets: Vec<&SelectionSet> = vec![&operation.node.selection_set.node];
    while let Some(set) = sets.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => sets.push(&field.node.selection_set.node),
                Selection::InlineFragment(fragment) => sets.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = known.get(name)
                        && fragments.insert(name.clone(), fragment.clone()).is_none()
                    {
                        sets.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    Some(ExecutableDocument { operations, fragments })
}
