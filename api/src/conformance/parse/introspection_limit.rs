//! A bound on introspection. Each type leads to others by lists, and back, so that a few levels of them make a response of
//! hundreds of megabytes, which async-graphql builds without a pause; aliases of the same field do too.
//!
//! The rule on lists is graphql-js' `MaxIntrospectionDepthRule`.

use async_graphql::ServerError;
use async_graphql::parser::types::{ExecutableDocument, Field};

use crate::conformance::error::{QUERY_TOO_COMPLEX, error_with_code};
use crate::conformance::visit::{SelectedField, walk_selections};

/// The most lists within lists; the introspection of usual clients has one within the list of types.
const MAX_LISTS: usize = 2;

/// Passes a document whose introspection is not too large. Its size has been checked before.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`.
pub(crate) fn check_introspection(document: &ExecutableDocument) -> Result<(), ServerError> {
    document.operations.iter().try_for_each(|(_, operation)| {
        let set = &operation.node.selection_set.node;
        // The scope is the number of lists around a selection; none outside of introspection.
        walk_selections(set, &document.fragments, None, &mut |selected, lists| match selected {
            SelectedField::Field(field) => Ok(lists_within(&field.node, lists)?.map(Some)),
            SelectedField::Fragment(_) => Ok(Some(lists)),
        })
    })
}

/// Returns the number of lists around what is within this field; none where the field is no introspection.
fn lists_within(field: &Field, lists: Option<usize>) -> Result<Option<usize>, ServerError> {
    let name = field.name.node.as_str();
    let is_renamed = field.alias.as_ref().is_some_and(|alias| alias.node != name);
    let lists = match (lists, name) {
        (None, "__type") => return Ok(Some(0)),
        (None, "__schema") => 0,
        (None, _) => return Ok(None),
        (Some(lists), "fields" | "inputFields" | "interfaces" | "possibleTypes") => lists + 1,
        (Some(lists), _) => lists,
    };
    if is_renamed {
        return Err(too_large("its fields must not have aliases"));
    }
    if lists > MAX_LISTS {
        return Err(too_large(&format!("at most {MAX_LISTS} nested lists are allowed")));
    }
    Ok(Some(lists))
}

fn too_large(rule: &str) -> ServerError {
    error_with_code(QUERY_TOO_COMPLEX, format!("The introspection is too large: {rule}."))
}
