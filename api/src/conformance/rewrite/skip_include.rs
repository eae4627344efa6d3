//! What @skip and @include go by. The library takes whatever is neither true nor false for false.

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Positioned, ServerError, Value as ConstValue, Variables};
use async_graphql_value::Value;

use crate::graphql::error::{BAD_USER_INPUT, coded};

/// Every variable that decides about a selection is true or false: a null does not leave a mutation's field to chance.
pub(crate) fn check_conditions(document: &ExecutableDocument, variables: &Variables) -> Result<(), ServerError> {
    let mut sets: Vec<&SelectionSet> =
        document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node).collect();
    sets.extend(document.fragments.values().map(|fragment| &fragment.node.selection_set.node));
    while let Some(set) = sets.pop() {
        for Positioned { node: selection, .. } in &set.items {
            for directive in selection.directives() {
                if let Some(Value::Variable(name)) = directive.node.get_argument("if").map(|value| &value.node)
                    && !matches!(variables.get(name), Some(ConstValue::Boolean(_)))
                {
                    let words = format!("@{} needs the variable ${name} true or false.", directive.node.name.node);
                    return Err(coded(BAD_USER_INPUT, words));
                }
            }
            match selection {
                Selection::Field(field) => sets.push(&field.node.selection_set.node),
                Selection::InlineFragment(fragment) => sets.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    Ok(())
}
