//! Variables that a request gives no value.
//!
//! By GraphQL's rules an argument or an input field in whose place such a variable stands is left out, and its default
//! holds. The library reads a null there, and a null may take more than the default: `hasPhoneNumber` null is either.

use std::collections::HashSet;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::Value;

/// Gives the variables of the operation their defaults. The library forgets them where it decides what is skipped.
pub(crate) fn put_defaults(document: &ExecutableDocument, variables: &mut Variables) {
    for definition in document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions) {
        if let Some(default) = &definition.node.default_value {
            variables.entry(definition.node.name.node.clone()).or_insert_with(|| default.node.clone());
        }
    }
}

/// Takes the arguments and input fields out of a document, which has one operation, that stand for a variable without a
/// value.
pub(crate) fn leave_out(document: &mut ExecutableDocument, variables: &Variables) {
    // One that must not be null has been asked for.
    let definitions = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    let names = definitions.map(|definition| &definition.node.name.node);
    let missing: HashSet<Name> = names.filter(|name| !variables.contains_key(*name)).cloned().collect();
    if missing.is_empty() {
        return;
    }
    let mut omitted = Omitted { missing, met: HashSet::new() };
    for operation in operations(&mut document.operations) {
        omitted.selection_set(&mut operation.node.selection_set.node);
    }
    for fragment in document.fragments.values_mut() {
        omitted.selection_set(&mut fragment.node.selection_set.node);
    }
    // A variable that is used nowhere any more would be refused.
    for operation in operations(&mut document.operations) {
        operation.node.variable_definitions.retain(|definition| !omitted.met.contains(&definition.node.name.node));
    }
}

/// The operations, whether there is one or several.
pub(crate) fn operations(operations: &mut DocumentOperations) -> Vec<&mut Positioned<OperationDefinition>> {
    match operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    }
}

struct Omitted {
    missing: HashSet<Name>,
    /// Those that stood somewhere.
    met: HashSet<Name>,
}

impl Omitted {
    fn selection_set(&mut self, set: &mut SelectionSet) {
        for selection in &mut set.items {
            match &mut selection.node {
                Selection::Field(field) => {
                    field.node.arguments.retain_mut(|(_, value)| self.stays(&mut value.node));
                    self.selection_set(&mut field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => self.selection_set(&mut fragment.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    /// Whether a value is there, without what is left out within it.
    fn stays(&mut self, value: &mut Value) -> bool {
        match value {
            Value::Variable(name) if self.missing.contains(name) => {
                self.met.insert(name.clone());
                false
            }
            Value::Object(fields) => {
                fields.retain(|_, field| self.stays(field));
                true
            }
            Value::List(items) => {
                for item in items {
                    if !self.stays(item) {
                        // An item of a list has a place, so it is null.
                        *item = Value::Null;
                    }
                }
                true
            }
            _ => true,
        }
    }
}
