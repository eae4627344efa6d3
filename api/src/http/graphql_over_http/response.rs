//! HTTP responses as GraphQL over HTTP defines them.

use async_graphql::{ServerError, Value};
use axum::http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::conformance::prepare::was_executed;
use crate::graphql::error::{BAD_USER_INPUT, UNAVAILABLE, error_with_code};

/// The number of seconds after which a client may retry when the server is overloaded.
const RETRY_AFTER_SECONDS: u64 = 1;

/// The media type of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Format {
    /// `application/json`, for clients that do not accept the other type.
    Json,
    /// `application/graphql-response+json`, with a status that states whether anything was executed.
    GraphqlResponse,
}

impl Format {
    /// Returns the media type that a client with these headers prefers.
    pub(in crate::http) fn accepted_by(headers: &HeaderMap) -> Self {
        let ranges = || {
            headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','))
        };
        let quality = |name: &str| ranges().filter_map(|range| quality_of(range, name)).reduce(f32::max).unwrap_or(0.0);
        let preferred = quality("application/graphql-response+json");
        if preferred > 0.0 && preferred >= quality("application/json") { Self::GraphqlResponse } else { Self::Json }
    }

    const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// Returns the response to a request that was executed or that GraphQL rejected.
    pub(in crate::http) fn answer(self, response: &async_graphql::Response) -> Response {
        if was_executed(response) { self.executed(response) } else { self.not_executed(&response.errors) }
    }

    /// Returns the response to a request that was executed, regardless of its data.
    pub(in crate::http) fn executed(self, response: &async_graphql::Response) -> Response {
        self.write(StatusCode::OK, &ResponseBody::from_response(response))
    }

    fn not_executed(self, errors: &[ServerError]) -> Response {
        // A client that supports only plain JSON treats any other status as a failure of HTTP and does not read the
        // body.
        let status = match self {
            Self::Json => StatusCode::OK,
            Self::GraphqlResponse => StatusCode::BAD_REQUEST,
        };
        self.write(status, &ResponseBody { errors, data: None })
    }

    /// Returns the response to a request that is refused before GraphQL processes it.
    pub(in crate::http) fn refuse(self, refusal: &Refusal) -> Response {
        let errors = [error_with_code(refusal.code, refusal.message.as_str())];
        let mut response = self.write(refusal.status, &ResponseBody { errors: &errors, data: None });
        if let Some(method) = &refusal.allow
            && let Ok(allow) = HeaderValue::from_str(method.as_str())
        {
            response.headers_mut().insert(ALLOW, allow);
        }
        if let Some(seconds) = refusal.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }

    /// Returns the response to a request that its principal may not make.
    pub(in crate::http) fn refused(self, status: StatusCode, error: ServerError) -> Response {
        self.write(status, &ResponseBody { errors: &[error], data: None })
    }

    fn write(self, status: StatusCode, body: &ResponseBody<'_>) -> Response {
        let headers = [(CONTENT_TYPE, self.content_type()), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        match serde_json::to_vec(body) {
            Ok(text) => (status, headers, text).into_response(),
            Err(error) => {
                tracing::error!(target: "session_admin::http", %error, "a response could not be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// The reason for which a request is refused before GraphQL processes it.
#[derive(Debug)]
pub(in crate::http) struct Refusal {
    pub(in crate::http) status: StatusCode,
    pub(in crate::http) code: &'static str,
    pub(in crate::http) message: String,
    /// The method to use instead.
    pub(in crate::http) allow: Option<Method>,
    /// The seconds after which the request may be sent again.
    pub(in crate::http) retry_after: Option<u64>,
}

impl Refusal {
    /// Creates a refusal with the code `BAD_USER_INPUT`.
    pub(in crate::http) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, code: BAD_USER_INPUT, message: message.into(), allow: None, retry_after: None }
    }
}

/// Returns a refusal (400) of a malformed request.
pub(in crate::http) fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, message)
}

/// Returns a refusal (503) of a request for which no permit is available.
pub(in crate::http) fn overloaded() -> Refusal {
    Refusal {
        code: UNAVAILABLE,
        retry_after: Some(RETRY_AFTER_SECONDS),
        ..Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "The server is at capacity. Try again in a second.")
    }
}

/// The body of a response.
#[derive(Debug, Serialize)]
pub(in crate::http) struct ResponseBody<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    /// Omitted if nothing was executed (GraphQL specification, section 7.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

impl<'a> ResponseBody<'a> {
    /// Returns the body of the response to a request that was executed.
    pub(in crate::http) fn from_response(response: &'a async_graphql::Response) -> Self {
        Self { errors: &response.errors, data: Some(&response.data) }
    }
}

/// Returns the quality that a media range such as `application/json;q=0.5` gives the type `name`, or `None` for a range
/// of another type.
fn quality_of(range: &str, name: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(name) {
        return None;
    }
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some(quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0)))
}
