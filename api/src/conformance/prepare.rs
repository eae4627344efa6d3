//! What async-graphql is given to execute, and whether it did.

use async_graphql::{Request, Response, ServerError, Value, Variables};

use super::document::Document;
use super::rewrite::omitted_variables::{apply_variable_defaults, drop_unset_arguments};
use super::rewrite::operation::extract_operation;
use super::rewrite::skip_include::check_skip_include;

/// A request whose document has been parsed: which operation to execute, with which values.
#[derive(Debug, Default)]
pub struct ExecutionRequest {
    /// The name of the operation to execute; none where the document has only one.
    pub operation_name: Option<String>,
    /// The values of the operation's variables.
    pub variables: Variables,
}

/// Returns the request that async-graphql executes: the selected operation alone, with the values of its variables.
///
/// # Errors
/// `BAD_USER_INPUT` where the document breaks a rule of validation, where a variable lacks a value that it needs, and where
/// `@skip` or `@include` depends on a variable that is no boolean.
pub fn prepare_request(document: &Document, request: ExecutionRequest) -> Result<Request, ServerError> {
    let ExecutionRequest { operation_name, mut variables } = request;
    document.check_validity()?;
    document.check_variables(operation_name.as_deref(), &variables)?;
    let executed = match extract_operation(document.ast(), operation_name.as_deref()) {
        Some(mut extracted) => {
            apply_variable_defaults(&extracted, &mut variables);
            check_skip_include(&extracted, &variables)?;
            drop_unset_arguments(&mut extracted, &variables);
            extracted
        }
        // async-graphql says that the name of an operation is missing or unknown.
        None => document.ast().clone(),
    };
    let mut request = Request::new("").variables(variables);
    request.operation_name = operation_name;
    request.set_parsed_query(executed);
    Ok(request)
}

/// Returns whether a response is that of an operation which was executed, even where nothing came of it.
#[must_use]
pub fn was_executed(response: &Response) -> bool {
    // async-graphql gives every error of an execution its path, and none to an error found before.
    response.errors.is_empty()
        || response.data != Value::Null
        || response.errors.iter().any(|error| !error.path.is_empty())
}
