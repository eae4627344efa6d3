//! The role that each root field requires.
//!
//! The roles of all root fields of an operation are checked before its execution, so that nothing is executed of an
//! operation with a forbidden field. Every change checks the role again ([`super::Operator`], [`super::Admin`]).

use async_graphql::ServerError;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};

use super::error::{FORBIDDEN, error_with_code};
use crate::auth::{Principal, Role};
use crate::conformance::document::Document;
use crate::conformance::visit::fields_at_root;

/// Returns the role that a root field requires, or `None` if the schema does not define the field.
///
/// A test compares this function with the schema, so every new field needs an entry here.
#[must_use]
pub fn required_role(kind: OperationType, field: &str) -> Option<Role> {
    match kind {
        OperationType::Query => match field {
            "viewer" | "node" | "session" | "sessions" | "sessionStats" | "group" | "groups" | "deletionImpact"
            | "cleanupPreview" | "deletion" | "deletions" | "cleanupRun" | "cleanupRuns" | "schemaHealth"
            | "__schema" | "__type" | "__typename" => Some(Role::Viewer),
            _ => None,
        },
        OperationType::Mutation => match field {
            "__typename" => Some(Role::Viewer),
            // A dry run locks rows and fires triggers before it is rolled back. The previews for a viewer only read.
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

/// Checks that the principal's role suffices for each root field of an operation, including fields that a directive
/// skips.
///
/// # Errors
/// Returns FORBIDDEN, with the field and the role that it requires.
pub fn check_roles(document: &Document, operation: Option<&str>, principal: &Principal) -> Result<(), ServerError> {
    let document = document.ast();
    // Without an operation nothing is executed. The execution reports that error.
    let Some(operation) = selected_operation(document, operation) else { return Ok(()) };
    let mut fields = Vec::new();
    fields_at_root(&operation.selection_set.node, &document.fragments, |field, _| {
        fields.push(field.name.node.as_str());
    });
    for field in fields {
        // The validation reports fields that the schema does not define.
        let Some(role) = required_role(operation.ty, field) else { continue };
        principal.require(role, field).map_err(|error| error_with_code(FORBIDDEN, error.to_string()))?;
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
