//! The role that each root field requires.
//!
//! The roles of all root fields of an operation are checked before it is executed, so that nothing is done of an operation with
//! a forbidden field. Everything that changes something requires the role once more ([`super::Operator`], [`super::Admin`]).

use async_graphql::ServerError;
use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, OperationType};

use super::error::{FORBIDDEN, error_with_code};
use crate::auth::{Principal, Role};
use crate::conformance::document::Document;
use crate::conformance::visit::fields_at_root;

/// Returns the role that a root field requires; none for a field that the schema does not have. A test compares this with the
/// schema, so a new field needs a line here.
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
pub fn check_roles(document: &Document, operation: Option<&str>, principal: &Principal) -> Result<(), ServerError> {
    let document = document.ast();
    // Without an operation nothing is executed, and the execution says so.
    let Some(operation) = selected_operation(document, operation) else { return Ok(()) };
    let mut fields = Vec::new();
    fields_at_root(&operation.selection_set.node, &document.fragments, |field, _| {
        fields.push(field.name.node.as_str());
    });
    for field in fields {
        // The validation reports fields that the schema does not have.
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
