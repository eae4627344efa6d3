//! Validation of a document against all rules of the specification. async-graphql leaves rules out, and so executes
//! documents that mean something else: two values for one input field, two fields under one name, a variable where its type
//! does not fit.

use async_graphql::{Pos, ServerError};
use bluejay_parser::Error as Diagnosis;
use bluejay_parser::ast::Parse as _;
use bluejay_parser::ast::definition::SchemaDefinition;
use bluejay_parser::ast::executable::ExecutableDocument;
use bluejay_validator::executable::Cache;
use bluejay_validator::executable::document::{BuiltinRulesValidator, DirectiveError, Error};

use crate::conformance::error::{BAD_USER_INPUT, INTERNAL, error_with_code};
use crate::conformance::schema_index::SchemaIndex;

type Violation<'a> = Error<'a, ExecutableDocument<'a>, SchemaDefinition<'static>>;

/// The most locations of one violation.
const MAX_LOCATIONS: usize = 10;

/// Checks that a text obeys all validation rules. The caller limits the size of the text first, because the check takes
/// time proportional to the number of fields, where fields of fragments count at each spread.
///
/// # Errors
/// `BAD_USER_INPUT` for the first rule that the text violates.
pub(crate) fn validate(query: &str, schema: &'static SchemaIndex) -> Result<(), ServerError> {
    let Some(schema) = schema.definition() else {
        return Err(error_with_code(INTERNAL, "The server cannot read its own schema."));
    };
    let document = ExecutableDocument::parse(query)
        .result
        .map_err(|errors| syntax_error(locations(query, errors.into_iter().next())))?;
    let cache = Cache::new(&document, schema);
    let violations: Vec<Violation<'_>> = BuiltinRulesValidator::validate(&document, schema, &cache).collect();
    // What is within an unknown field is not looked at, so a variable may well be used there.
    let has_newer = violations.iter().any(is_newer_introspection);
    let is_left_to_library = |violation: &Violation<'_>| {
        is_newer_introspection(violation) || has_newer && matches!(violation, Error::VariableDefinitionUnused { .. })
    };
    let violation = violations.into_iter().find(|violation| !is_left_to_library(violation));
    violation.map_or(Ok(()), |violation| Err(validation_error(query, violation)))
}

/// Returns the error of a text that is not GraphQL. A parser's own message repeats the text and names rules of its grammar.
pub(crate) fn syntax_error(locations: Vec<Pos>) -> ServerError {
    let mut error =
        error_with_code(BAD_USER_INPUT, "The query is not valid GraphQL: there is a syntax error at this place.");
    error.locations = locations;
    error
}

/// Returns whether an unknown field may be one of introspection that is newer than the validator, which knows the
/// specification of 2021. async-graphql knows it, and validates too.
fn is_newer_introspection(violation: &Violation<'_>) -> bool {
    matches!(violation, Error::FieldDoesNotExistOnType { r#type, .. } if r#type.name().starts_with("__"))
}

fn validation_error(query: &str, violation: Violation<'_>) -> ServerError {
    let message = message(&violation);
    let diagnosis = Diagnosis::from(violation);
    let message = message.unwrap_or_else(|| format!("{}.", diagnosis.message()));
    let mut error = error_with_code(BAD_USER_INPUT, message);
    error.locations = locations(query, Some(diagnosis));
    error
}

/// Returns a message for the violations that clients meet most; the validator's own messages for the others are clear.
fn message(violation: &Violation<'_>) -> Option<String> {
    Some(match violation {
        Error::FieldDoesNotExistOnType { field, r#type } => {
            format!("Unknown field \"{}\" on type \"{}\".", field.name().as_ref(), r#type.name())
        }
        Error::VariableDefinitionUnused { variable_definition } => {
            format!("The variable ${} is not used.", variable_definition.variable().name())
        }
        Error::InvalidVariableDirective(DirectiveError::DirectiveDoesNotExist { directive }) => {
            format!("Unknown directive \"{}\"", directive.name().as_ref())
        }
        Error::FieldSelectionsDoNotMergeIncompatibleTypes { field_a, .. }
        | Error::FieldSelectionsDoNotMergeDifferingNames { field_a, .. }
        | Error::FieldSelectionsDoNotMergeDifferingArguments { field_a, .. } => format!(
            "\"{}\" would stand for several fields, or for one with different arguments: give them different aliases.",
            field_a.response_key()
        ),
        _ => return None,
    })
}

/// Returns where a violation is. One rule may be broken in thousands of places; ten are named.
fn locations(query: &str, diagnosis: Option<Diagnosis>) -> Vec<Pos> {
    let errors = Diagnosis::into_graphql_errors(query, diagnosis);
    let locations = errors.into_iter().flat_map(|error| error.locations).take(MAX_LOCATIONS);
    locations.map(|location| Pos { line: location.line, column: location.col }).collect()
}
