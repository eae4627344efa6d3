//! Errors as clients receive them: each has a code, and none contains SQL or the message of a database driver.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use async_graphql::{Pos, Response, ServerError};

use crate::conformance::error::{set_code, shorten};
use crate::error::Error;

pub use crate::conformance::error::{BAD_USER_INPUT, INTERNAL, QUERY_TOO_COMPLEX, error_with_code};

/// The code of an error after which the same request may succeed later.
pub const UNAVAILABLE: &str = "UNAVAILABLE";
/// The code of a query that exceeded its timeout.
pub const TIMEOUT: &str = "TIMEOUT";
/// The code of a request that requires a token and has no valid one.
pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
/// The code of a request for which the principal's role is insufficient.
pub const FORBIDDEN: &str = "FORBIDDEN";

/// The maximum number of errors in a response.
const MAX_ERRORS: usize = 100;

/// Returns an error response for a request of which nothing was executed.
#[must_use]
pub fn error_response(code: &str, message: impl Into<String>) -> Response {
    Response::from_errors(vec![error_with_code(code, message)])
}

/// Converts an error into its public form, for a request of which nothing was executed.
#[must_use]
pub fn public_error(error: Arc<Error>, correlation_id: &str) -> ServerError {
    let mut error = async_graphql::Error::from(error).into_server_error(Pos::default());
    error.locations.clear();
    finish_error(&mut error, correlation_id);
    error
}

/// Gives every error of a response its code and its public message. Logs the details that clients do not receive.
#[must_use]
pub fn finalize_errors(mut response: Response, correlation_id: &str) -> Response {
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        finish_error(error, correlation_id);
        shorten(&mut error.message);
    }
    response
}

/// Returns the messages of an error and of all its causes, for the log only.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

fn finish_error(error: &mut ServerError, correlation_id: &str) {
    if error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some()) {
        return;
    }
    let source = error.source.take();
    let domain = source.as_deref().and_then(|source| {
        source.downcast_ref::<Error>().or_else(|| source.downcast_ref::<Arc<Error>>().map(AsRef::as_ref))
    });
    match domain {
        Some(domain) => {
            log(domain, correlation_id);
            error.message = public_message(domain, correlation_id).into_owned();
            set_code(error, domain.code());
        }
        // async-graphql's own errors, about a document and its values, have no source.
        None if source.is_none() => set_code(error, BAD_USER_INPUT),
        None => {
            tracing::error!(target: "session_admin::graphql", correlation_id, error = error.message, "an unclassified error");
            error.message = masked_message(correlation_id);
            set_code(error, INTERNAL);
        }
    }
    if let Some(extensions) = &mut error.extensions
        && extensions.get("code") == Some(&INTERNAL.into())
    {
        extensions.set("correlationId", correlation_id);
    }
}

fn log(error: &Error, correlation_id: &str) {
    match error {
        Error::BadInput(_) | Error::NotFound(_) | Error::Forbidden(_) => {}
        Error::Unavailable(_)
        | Error::Insecure { .. }
        | Error::ReadOnly(_)
        | Error::Storage(_)
        | Error::Timeout(_)
        | Error::LockTimeout(_) => {
            tracing::warn!(target: "session_admin::graphql", correlation_id, error = error_chain(error), "the database did not answer");
        }
        _ => {
            tracing::error!(target: "session_admin::graphql", correlation_id, error = error_chain(error), "a request failed");
        }
    }
}

/// Returns the message for the client. Messages that repeat those of the database stay in the log.
fn public_message<'a>(error: &'a Error, correlation_id: &str) -> Cow<'a, str> {
    match error {
        Error::BadInput(message)
        | Error::NotFound(message)
        | Error::Forbidden(message)
        | Error::IncompatibleDatabase(message) => Cow::Borrowed(message),
        Error::Unavailable(_)
        | Error::ReadOnly(_)
        | Error::Storage(_)
        | Error::Damaged(_)
        | Error::MissingTable(_)
        | Error::Timeout(_)
        | Error::LockTimeout(_)
        | Error::MigrationsPending(_) => Cow::Owned(error.to_string()),
        // The error's own message names hosts and certificate authorities.
        Error::Insecure { .. } => Cow::Owned(format!(
            "The database cannot be reached: the connection to it cannot be secured. The log has the cause under \
             {correlation_id}."
        )),
        Error::MissingGrant { .. } => Cow::Owned(format!(
            "The database role lacks a privilege; `session-admin doctor` lists what is missing. The log has the \
             details under {correlation_id}."
        )),
        Error::Refused { .. } | Error::Database(_) | Error::Migration(_) | Error::Io { .. } => {
            Cow::Owned(masked_message(correlation_id))
        }
    }
}

fn masked_message(correlation_id: &str) -> String {
    format!("The server failed. Its log has the cause under {correlation_id}.")
}
