//! Validation of a document by all of GraphQL's rules. The library lets documents pass that mean something else than what is
//! executed: two values for one input field, two fields under one name, a variable where its type does not fit.

use std::sync::LazyLock;

use async_graphql::{Pos, ServerError};
use bluejay_parser::Error as Diagnosis;
use bluejay_parser::ast::Parse as _;
use bluejay_parser::ast::definition::{DefinitionDocument, SchemaDefinition};
use bluejay_parser::ast::executable::ExecutableDocument;
use bluejay_validator::executable::Cache;
use bluejay_validator::executable::document::{BuiltinRulesValidator, DirectiveError, Error};

use crate::graphql::error::{BAD_USER_INPUT, INTERNAL, coded};
use crate::graphql::sdl;

type Fault<'a> = Error<'a, ExecutableDocument<'a>, SchemaDefinition<'static>>;

/// The most places that are named of one fault.
const MOST_PLACES: usize = 10;

static SDL: LazyLock<String> = LazyLock::new(sdl);
static DEFINITIONS: LazyLock<Option<DefinitionDocument<'static>>> =
    LazyLock::new(|| DefinitionDocument::parse(&SDL).result.ok());
static SCHEMA: LazyLock<Option<SchemaDefinition<'static>>> =
    LazyLock::new(|| SchemaDefinition::try_from(DEFINITIONS.as_ref()?).ok());

/// Holds a query's text against the schema. Its size has been bounded before: what this takes grows with the fields, those of
/// fragments counted wherever they are spread.
///
/// # Errors
/// BAD_USER_INPUT, for the first rule that the text breaks.
pub(crate) fn validate(query: &str) -> Result<(), ServerError> {
    let Some(schema) = SCHEMA.as_ref() else { return Err(coded(INTERNAL, "The server cannot read its own schema.")) };
    let document = ExecutableDocument::parse(query)
        .result
        .map_err(|errors| syntax_error(positions(query, errors.into_iter().next())))?;
    let cache = Cache::new(&document, schema);
    let faults: Vec<Fault<'_>> = BuiltinRulesValidator::validate(&document, schema, &cache).collect();
    // A field that is not known is not looked into, so a variable may well be used there.
    let is_newer = faults.iter().any(is_of_newer_introspection);
    let is_librarys = |fault: &Fault<'_>| {
        is_of_newer_introspection(fault) || is_newer && matches!(fault, Error::VariableDefinitionUnused { .. })
    };
    let fault = faults.into_iter().find(|fault| !is_librarys(fault));
    fault.map_or(Ok(()), |fault| Err(refusal(query, fault)))
}

/// An error for a text that is no GraphQL. A parser's own words echo the text and name its grammar's rules.
pub(crate) fn syntax_error(locations: Vec<Pos>) -> ServerError {
    let mut refusal = coded(BAD_USER_INPUT, "The query is not valid GraphQL: there is a syntax error at this place.");
    refusal.locations = locations;
    refusal
}

/// The introspection that is validated against is that of 2021. What has come since then is known to the library, which
/// validates too.
fn is_of_newer_introspection(fault: &Fault<'_>) -> bool {
    matches!(fault, Error::FieldDoesNotExistOnType { r#type, .. } if r#type.name().starts_with("__"))
}

fn refusal(query: &str, fault: Fault<'_>) -> ServerError {
    let words = words(&fault);
    let diagnosis = Diagnosis::from(fault);
    let words = words.unwrap_or_else(|| format!("{}.", diagnosis.message()));
    let mut refusal = coded(BAD_USER_INPUT, words);
    refusal.locations = positions(query, Some(diagnosis));
    refusal
}

/// What is said of the faults that are met most; the others' own words are clear.
fn words(fault: &Fault<'_>) -> Option<String> {
    Some(match fault {
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

/// Where it is; one rule may be broken in thousands of places.
fn positions(query: &str, diagnosis: Option<Diagnosis>) -> Vec<Pos> {
    let errors = Diagnosis::into_graphql_errors(query, diagnosis);
    let locations = errors.into_iter().flat_map(|error| error.locations).take(MOST_PLACES);
    locations.map(|location| Pos { line: location.line, column: location.col }).collect()
}
