//! Answers as GraphQL over HTTP has them.

use async_graphql::{ServerError, Value};
use axum::http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::conformance::prepare::was_executed;
use crate::graphql::error::{BAD_USER_INPUT, UNAVAILABLE, coded};

/// After how many seconds those who are not let in may try again.
const LATER: u64 = 1;

/// The media type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `application/json`, for clients that do not ask for the other.
    Json,
    /// `application/graphql-response+json`, whose status says whether anything was executed.
    GraphqlResponse,
}

impl Format {
    /// The type that the client prefers.
    pub(crate) fn accepted_by(headers: &HeaderMap) -> Self {
        let ranges = || {
            headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','))
        };
        let quality = |name: &str| ranges().filter_map(|range| quality_of(range, name)).reduce(f32::max).unwrap_or(0.0);
        let wanted = quality("application/graphql-response+json");
        if wanted > 0.0 && wanted >= quality("application/json") { Self::GraphqlResponse } else { Self::Json }
    }

    const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// The answer to a request that was executed, or that GraphQL refused.
    pub(crate) fn answer(self, response: &async_graphql::Response) -> Response {
        if was_executed(response) { self.executed(response) } else { self.not_executed(&response.errors) }
    }

    /// The answer to a request that was executed, even where nothing came of it.
    pub(crate) fn executed(self, response: &async_graphql::Response) -> Response {
        self.write(StatusCode::OK, &Body::of(response))
    }

    fn not_executed(self, errors: &[ServerError]) -> Response {
        // A client that knows plain JSON only would take another status for a failure of HTTP, and not read on.
        let status = match self {
            Self::Json => StatusCode::OK,
            Self::GraphqlResponse => StatusCode::BAD_REQUEST,
        };
        self.write(status, &Body { errors, data: None })
    }

    /// The answer to a request that is no GraphQL request, or not one that this server takes.
    pub(crate) fn refuse(self, refusal: &Refusal) -> Response {
        let errors = [coded(refusal.code, refusal.message.as_str())];
        let mut response = self.write(refusal.status, &Body { errors: &errors, data: None });
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

    /// The answer to somebody who may not do this.
    pub(crate) fn refused(self, status: StatusCode, error: ServerError) -> Response {
        self.write(status, &Body { errors: &[error], data: None })
    }

    fn write(self, status: StatusCode, body: &Body<'_>) -> Response {
        let headers = [(CONTENT_TYPE, self.content_type()), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        match serde_json::to_vec(body) {
            Ok(text) => (status, headers, text).into_response(),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// Why a request is refused before GraphQL sees it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The method to use instead.
    pub(crate) allow: Option<Method>,
    /// After how many seconds it may be sent again.
    pub(crate) retry_after: Option<u64>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, code: BAD_USER_INPUT, message: message.into(), allow: None, retry_after: None }
    }
}

/// What is said to those who are not let in.
pub(crate) fn overloaded() -> Refusal {
    Refusal {
        code: UNAVAILABLE,
        retry_after: Some(LATER),
        ..Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The server has as much to do as it takes on. Try again in a second.",
        )
    }
}

/// An answer as clients read it.
#[derive(Debug, Serialize)]
pub(crate) struct Body<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    /// Left out where nothing was executed, as the specification has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
}

impl<'a> Body<'a> {
    /// What came of an execution.
    pub(crate) fn of(response: &'a async_graphql::Response) -> Self {
        Self { errors: &response.errors, data: Some(&response.data) }
    }
}

/// How much a media range, such as `application/json;q=0.5`, wants the type `name`; none where it is about another.
fn quality_of(range: &str, name: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(name) {
        return None;
    }
    let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    Some(quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0)))
}
