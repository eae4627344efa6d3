//! The conditions of `@skip` and `@include`. async-graphql takes a variable that is neither true nor false for false.

use async_graphql::parser::types::{Directive, ExecutableDocument};
use async_graphql::{Positioned, ServerError, Value as ConstValue, Variables};
use async_graphql_value::Value;

use crate::conformance::error::{BAD_USER_INPUT, error_with_code};
use crate::conformance::visit::{SelectedField, walk_selections};

/// Passes values with which every variable that decides about a selection is true or false: whether a field of a mutation is
/// executed must not depend on how a null is read.
///
/// # Errors
/// `BAD_USER_INPUT`, for the first condition that is neither.
pub(crate) fn check_skip_include(document: &ExecutableDocument, variables: &Variables) -> Result<(), ServerError> {
    document.operations.iter().try_for_each(|(_, operation)| {
        walk_selections(&operation.node.selection_set.node, &document.fragments, (), &mut |selected, ()| {
            let directives = match selected {
                SelectedField::Field(field) => field.node.directives.as_slice(),
                SelectedField::Fragment(fragment) => fragment.directives,
            };
            directives.iter().try_for_each(|directive| check_condition(directive, variables)).map(Some)
        })
    })
}

fn check_condition(directive: &Positioned<Directive>, variables: &Variables) -> Result<(), ServerError> {
    if let Some(Value::Variable(name)) = directive.node.get_argument("if").map(|value| &value.node)
        && !matches!(variables.get(name), Some(ConstValue::Boolean(_)))
    {
        let message = format!("@{} needs the variable ${name} to be true or false.", directive.node.name.node);
        return Err(error_with_code(BAD_USER_INPUT, message));
    }
    Ok(())
}
