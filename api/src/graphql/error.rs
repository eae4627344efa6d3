//! Errors as clients see them: every one has a code, none has SQL or a driver's words.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Pos, Response, ServerError};

use crate::error::Error;

/// The caller's document or values are wrong.
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// The document asks for more than one request may.
pub const QUERY_TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
/// It may work later.
pub const UNAVAILABLE: &str = "UNAVAILABLE";
/// A read took too long.
pub const TIMEOUT: &str = "TIMEOUT";
/// A token is needed, and there is none that is good.
pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
/// The caller's role is not enough.
pub const FORBIDDEN: &str = "FORBIDDEN";
/// A defect, or a fault of the machine.
pub const INTERNAL: &str = "INTERNAL";

/// The most errors of an answer.
const MOST: usize = 100;
/// The longest message, in bytes.
const LONGEST: usize = 1_000;

/// An error with its code.
#[must_use]
pub fn coded(code: &str, message: impl Into<String>) -> ServerError {
    let mut error = ServerError::new(message, None);
    shorten(&mut error.message);
    set_code(&mut error, code);
    error
}

/// An answer to a request of which nothing was executed.
#[must_use]
pub fn refusal(code: &str, message: impl Into<String>) -> Response {
    Response::from_errors(vec![coded(code, message)])
}

/// An error as clients see it, of a request of which nothing was executed.
#[must_use]
pub fn of(error: Arc<Error>, correlation_id: &str) -> ServerError {
    let mut error = async_graphql::Error::from(error).into_server_error(Pos::default());
    error.locations.clear();
    finish_error(&mut error, correlation_id);
    error
}

/// Gives every error of an answer its code and its public words, and logs what clients are not told.
#[must_use]
pub fn finish(mut response: Response, correlation_id: &str) -> Response {
    response.errors.truncate(MOST);
    for error in &mut response.errors {
        finish_error(error, correlation_id);
        shorten(&mut error.message);
    }
    response
}

/// Some messages repeat what the client sent.
fn shorten(message: &mut String) {
    if message.len() > LONGEST {
        message.truncate(message.floor_char_boundary(LONGEST - '…'.len_utf8()));
        message.push('…');
    }
}

/// The error with all its causes, for the log only.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
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
        // The library's own errors about a document and its values have no source.
        None if source.is_none() => set_code(error, BAD_USER_INPUT),
        None => {
            tracing::error!(correlation_id, error = error.message, "an error that nobody classified");
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
            tracing::warn!(correlation_id, error = chain(error), "the database did not answer");
        }
        _ => tracing::error!(correlation_id, error = chain(error), "a request failed"),
    }
}

/// What the client is told. The words of some errors hold the database's own, which stay in the log.
fn public_message<'a>(error: &'a Error, correlation_id: &str) -> Cow<'a, str> {
    match error {
        Error::BadInput(message)
        | Error::NotFound(message)
        | Error::Forbidden(message)
        | Error::Unsuitable(message) => Cow::Borrowed(message),
        Error::Unavailable(_)
        | Error::ReadOnly(_)
        | Error::Storage(_)
        | Error::Damaged(_)
        | Error::MissingTable(_)
        | Error::Timeout(_)
        | Error::LockTimeout(_)
        | Error::MigrationsPending(_) => Cow::Owned(error.to_string()),
        // Names of hosts and of authorities are not the clients' business.
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

fn set_code(error: &mut ServerError, code: &str) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code);
}
