//! Introspection, kept to what tools ask. Each type leads to others by lists, and back, so a few levels of them make an
//! answer of hundreds of megabytes, which the library puts together without a pause; other names for the same field do too.
//! The rule on lists is graphql-js' `MaxIntrospectionDepthRule`.

use async_graphql::ServerError;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};

use crate::graphql::error::{QUERY_TOO_COMPLEX, coded};

/// Lists within lists; the introspection of usual clients has one within the list of types.
const MAX_LISTS: usize = 2;

/// Passes a document whose introspection is not too large. That fragments end, and are few, has been seen.
pub(crate) fn check(document: &ExecutableDocument) -> Result<(), ServerError> {
    document.operations.iter().try_for_each(|(_, operation)| walk(document, &operation.node.selection_set.node, None))
}

/// `lists` is how many the selection set is within; none outside of introspection.
fn walk(document: &ExecutableDocument, set: &SelectionSet, lists: Option<usize>) -> Result<(), ServerError> {
    set.items.iter().try_for_each(|selection| match &selection.node {
        Selection::Field(field) => match within(&field.node, lists)? {
            Some(lists) => walk(document, &field.node.selection_set.node, Some(lists)),
            None => Ok(()),
        },
        Selection::InlineFragment(fragment) => walk(document, &fragment.node.selection_set.node, lists),
        Selection::FragmentSpread(spread) => match document.fragments.get(&spread.node.fragment_name.node) {
            Some(fragment) => walk(document, &fragment.node.selection_set.node, lists),
            None => Ok(()),
        },
    })
}

/// How many lists this field is within; none where it is no introspection.
fn within(field: &Field, lists: Option<usize>) -> Result<Option<usize>, ServerError> {
    let name = field.name.node.as_str();
    let renamed = field.alias.as_ref().is_some_and(|alias| alias.node != name);
    let lists = match (lists, name) {
        (None, "__type") => return Ok(Some(0)),
        (None, "__schema") => 0,
        (None, _) => return Ok(None),
        (Some(lists), "fields" | "inputFields" | "interfaces" | "possibleTypes") => lists + 1,
        (Some(lists), _) => lists,
    };
    if renamed {
        return too_large("gives no field another name");
    }
    if lists > MAX_LISTS {
        return too_large(&format!("has at most {MAX_LISTS} lists within one another"));
    }
    Ok(Some(lists))
}

fn too_large(why: &str) -> Result<Option<usize>, ServerError> {
    Err(coded(QUERY_TOO_COMPLEX, format!("The introspection is too large: one that is answered {why}.")))
}
