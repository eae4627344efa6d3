//! The selected operation of a document. async-graphql validates and prepares all operations together, so that what another
//! operation declares under the name of a variable would matter.

use std::collections::HashMap;
use std::convert::Infallible;

use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition};
use async_graphql::{Name, Positioned};

use crate::conformance::visit::{SelectedField, walk_selections};

/// Returns the operation that `name` selects, with its own name; none where it selects no single operation.
pub(crate) fn find_operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<(Option<&'a str>, &'a Positioned<OperationDefinition>)> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some((None, operation)),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get_key_value(name).map(|(name, operation)| (Some(name.as_str()), operation))
        }
        (DocumentOperations::Multiple(operations), None) => match operations.iter().next() {
            Some((name, operation)) if operations.len() == 1 => Some((Some(name.as_str()), operation)),
            _ => None,
        },
    }
}

/// Returns a document of the operation that `name` selects and the fragments that it spreads; none where it selects no single
/// operation.
pub(crate) fn extract_operation(document: &ExecutableDocument, name: Option<&str>) -> Option<ExecutableDocument> {
    let (name, operation) = find_operation(document, name)?;
    let operations = match name {
        Some(name) => DocumentOperations::Multiple(HashMap::from([(Name::new(name), operation.clone())])),
        None => DocumentOperations::Single(operation.clone()),
    };
    let mut fragments = HashMap::new();
    let set = &operation.node.selection_set.node;
    let walked = walk_selections(set, &document.fragments, (), &mut |selected, ()| {
        let is_new = match selected {
            SelectedField::Fragment(fragment) => fragment.name.is_none_or(|name| {
                let definition = document.fragments.get(name).cloned();
                definition.is_some_and(|definition| fragments.insert(name.clone(), definition).is_none())
            }),
            SelectedField::Field(_) => true,
        };
        Ok::<_, Infallible>(is_new.then_some(()))
    });
    let Ok(()) = walked;
    Some(ExecutableDocument { operations, fragments })
}
