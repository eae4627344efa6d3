//! The role that each root field requires.
//!
//! The roles of all root fields of an operation are checked before it is executed, so that nothing is done of an operation with
//! a forbidden field. Everything that changes something requires the role once more ([`super::Operator`], [`super::Admin`]).

use std::collections::HashSet;

use async_graphql::ServerError;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet};

use super::error::{FORBIDDEN, coded};
use crate::auth::{Principal, Role};
use crate::conformance::document::Document;

/// Returns the role that a root field requires; none for a field that the schema does not have. A test compares this with the
/// schema, so a new field needs a line here.
#[must_use]
pub fn required(kind: OperationType, field: &str) -> Option<Role> {
    match kind {
        OperationType::Query => match field {
            "viewer" | "node" | "session" | "sessions" | "sessionStats" | "group" | "groups" | "deletionImpact"
            | "cleanupPreview" | "deletion" | "deletions" | "cleanupRun" | "cleanupRuns" | "schemaHealth"
            | "__schema" | "__type" | "__typename" => Some(Role::Viewer),
            _ => None,
        },
        OperationType::Mutation => match field {
            "__typename" => Some(Role::Viewer),
            // A dry run locks rows and fires triggers before it is rolled back; the previews of a viewer only read.
            "deleteSession" | "cleanUpSessions" | "cancelCleanupRun" | "restoreDeletion" | "restoreCleanupRun" => {
                Some(Role::Operator)
            }
            "eraseDeletionArchive" => Some(Role::Admin),
            _ => None,
        },
        OperationType::Subscription => match field {
            "cleanupRun" | "__typename" => Some(Role::Viewer),
            _ => None,
        },
    }
}

/// Checks that the principal's role is enough for each root field of an operation, including fields that a directive skips.
///
/// # Errors
/// FORBIDDEN, with the field and the role that it requires.
pub fn allowed(document: &Document, operation: Option<&str>, principal: &Principal) -> Result<(), ServerError> {
    let document = document.inner();
    // Without an operation nothing is executed, and the execution says so.
    let Some(operation) = selected_operation(document, operation) else { return Ok(()) };
    for field in root_fields(document, operation) {
        // The validation reports fields that the schema does not have.
        let Some(role) = required(operation.ty, field) else { continue };
        principal.require(role, field).map_err(|error| coded(FORBIDDEN, error.to_string()))?;
    }
    Ok(())
}

fn selected_operation<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    match name {
        Some(name) => operations.find(|(known, _)| known.is_some_and(|known| known == name)),
        None => operations.next().filter(|_| operations.next().is_none()),
    }
    .map(|(_, operation)| &operation.node)
}

/// Returns the root fields with those of fragments. A fragment counts once, however often it is spread.
fn root_fields<'a>(document: &'a ExecutableDocument, operation: &'a OperationDefinition) -> Vec<&'a str> {
    let (mut fields, mut seen) = (Vec::new(), HashSet::new());
    let mut sets: Vec<&SelectionSet> = vec![&operation.selection_set.node];
    while let Some(set) = sets.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => fields.push(field.node.name.node.as_str()),
                Selection::InlineFragment(fragment) => sets.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if seen.insert(name)
                        && let Some(fragment) = document.fragments.get(name)
                    {
                        sets.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    fields
}
