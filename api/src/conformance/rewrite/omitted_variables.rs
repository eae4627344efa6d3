//! Variables that a request gives no value.
//!
//! By the specification an argument or an input field whose value is such a variable is left out, and its own default holds.
//! async-graphql reads a null there, and a null may mean more than the default does. It also forgets the variables' defaults
//! where it decides what is skipped.

use std::collections::HashSet;

use async_graphql::parser::types::{ExecutableDocument, Selection, VariableDefinition};
use async_graphql::{Name, Variables};
use async_graphql_value::Value;

use crate::conformance::visit::{operations_mut, walk_selections_mut};

/// Adds the defaults of the document's variables to the values of a request.
pub(crate) fn apply_variable_defaults(document: &ExecutableDocument, variables: &mut Variables) {
    for definition in variable_definitions(document) {
        if let Some(default) = &definition.default_value {
            variables.entry(definition.name.node.clone()).or_insert_with(|| default.node.clone());
        }
    }
}

/// Removes arguments and input fields whose value is a variable without a value from a document with one operation.
pub(crate) fn drop_unset_arguments(document: &mut ExecutableDocument, variables: &Variables) {
    // A non-null variable without a value was refused before.
    let names = variable_definitions(document).map(|definition| &definition.name.node);
    let unset: HashSet<Name> = names.filter(|name| !variables.contains_key(*name)).cloned().collect();
    if unset.is_empty() {
        return;
    }
    let mut unset = UnsetVariables { names: unset, dropped: HashSet::new() };
    walk_selections_mut(document, &mut |selection| {
        if let Selection::Field(field) = &mut selection.node {
            field.node.arguments.retain_mut(|(_, value)| unset.has_value(&mut value.node));
        }
    });
    // async-graphql would refuse a variable that is not used any more.
    for operation in operations_mut(&mut document.operations) {
        operation.node.variable_definitions.retain(|definition| !unset.dropped.contains(&definition.node.name.node));
    }
}

fn variable_definitions(document: &ExecutableDocument) -> impl Iterator<Item = &VariableDefinition> {
    let operations = document.operations.iter();
    operations.flat_map(|(_, operation)| &operation.node.variable_definitions).map(|definition| &definition.node)
}

struct UnsetVariables {
    names: HashSet<Name>,
    /// Variables that were the value of something.
    dropped: HashSet<Name>,
}

impl UnsetVariables {
    /// Returns whether a value is there, and removes from it what is not.
    fn has_value(&mut self, value: &mut Value) -> bool {
        match value {
            Value::Variable(name) if self.names.contains(name) => {
                self.dropped.insert(name.clone());
                false
            }
            Value::Object(fields) => {
                fields.retain(|_, field| self.has_value(field));
                true
            }
            Value::List(items) => {
                for item in items {
                    if !self.has_value(item) {
                        // An item of a list cannot be left out: it is null.
                        *item = Value::Null;
                    }
                }
                true
            }
            _ => true,
        }
    }
}
