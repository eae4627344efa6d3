//! Errors as clients see them: each has a code, none has SQL or the message of a database driver.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use async_graphql::{Pos, Response, ServerError};

use crate::conformance::error::{set_code, shorten};
use crate::error::Error;

pub use crate::conformance::error::{BAD_USER_INPUT, INTERNAL, QUERY_TOO_COMPLEX, error_with_code};

/// The same request may succeed later.
pub const UNAVAILABLE: &str = "UNAVAILABLE";
/// A query took too long.
pub const TIMEOUT: &str = "TIMEOUT";
/// A token is needed, and the request has none that is valid.
pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
/// The principal's role does not suffice.
pub const FORBIDDEN: &str = "FORBIDDEN";

/// The most errors of a response.
const MAX_ERRORS: usize = 100;

/// Returns the response to a request of which nothing was executed.
#[must_use]
pub fn error_response(code: &str, message: impl Into<String>) -> Response {
    Response::from_errors(vec![error_with_code(code, message)])
}

/// Returns an error as clients see it, of a request of which nothing was executed.
#[must_use]
pub fn public_error(error: Arc<Error>, correlation_id: &str) -> ServerError {
    let mut error = async_graphql::Error::from(error).into_server_error(Pos::default());
    error.locations.clear();
    finish_error(&mut error, correlation_id);
    error
}

/// Gives every error of a response its code and its public message, and logs what clients are not told.
#[must_use]
pub fn finalize_errors(mut response: Response, correlation_id: &str) -> Response {
    response.errors.truncate(MAX_ERRORS);
    for error in &mut response.errors {
        finish_error(error, correlation_id);
        shorten(&mut error.message);
    }
    response
}

/// Returns the messages of an error and all its causes. They are for the log, never for clients.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string does not fail.
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
            tracing::error!(target: "session_admin::graphql", correlation_id, error = error.message, "an error that nobody classified");
            error.message = masked(correlation_id);
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
            tracing::error!(target: "session_admin::graphql", correlation_id, error = error_chain(error), "a request failed")
        }
    }
}

/// Returns what the client is told. The messages of some errors repeat the database's own, which stay in the log.
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
        // The message names hosts and certificate authorities.
        Error::Insecure { .. } => Cow::Owned(format!(
            "The database cannot be reached: the connection to it cannot be secured. The log says why, under {correlation_id}."
        )),
        Error::MissingGrant { .. } => Cow::Owned(format!(
            "The database role lacks a privilege; `session-admin doctor` lists what is missing. The log has the rest under {correlation_id}."
        )),
        Error::Refused { .. } | Error::Database(_) | Error::Migration(_) | Error::Io { .. } => {
            Cow::Owned(masked(correlation_id))
        }
    }
}

fn masked(correlation_id: &str) -> String {
    format!("Something went wrong in the server. Its log says what, under {correlation_id}.")
}
