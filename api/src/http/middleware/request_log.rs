//! The span and the log line of each request: method, path, principal, operation, status and duration.
//!
//! The query and its variables are never logged. Successful probes and metrics requests are logged at the level `debug`
//! only. The id of a request, which the response carries, identifies its log lines.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderName;
use axum::response::Response;
use tower_http::request_id::RequestId;
use tracing::Span;
use tracing::field::Empty;

pub(in crate::http) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The maximum length of an id that is accepted from a client, in bytes.
const MAX_ID: usize = 64;
/// The maximum length of a path in the log, in bytes. The paths of this server are shorter.
const MAX_PATH: usize = 200;

/// Returns the request's id.
pub(in crate::http) fn id_of(request: &Request) -> &str {
    request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default()
}

/// Returns the span for the log lines of a WebSocket, which outlives the request that opened it.
pub(in crate::http) fn socket_span(id: &str) -> Span {
    tracing::info_span!(target: "session_admin::http", "socket", id)
}

/// Records the name of the operation in the request's span.
pub(in crate::http) fn record_operation(name: &str) {
    Span::current().record("operation", name);
}

/// Records the name of the principal in the request's span.
pub(in crate::http) fn record_principal(name: &str) {
    Span::current().record("by", name);
}

/// Removes a client's request id unless it is safe in a log and in a header.
pub(in crate::http) async fn drop_unusable_id(mut request: Request) -> Request {
    let usable = |id: &[u8]| {
        (1..=MAX_ID).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    if request.headers().get(X_REQUEST_ID).is_some_and(|id| !usable(id.as_bytes())) {
        request.headers_mut().remove(X_REQUEST_ID);
    }
    request
}

/// Returns the span of a request.
pub(in crate::http) fn request_span(request: &Request<Body>) -> Span {
    let path = request.uri().path();
    tracing::info_span!(
        target: "session_admin::http",
        "request",
        id = id_of(request),
        method = %request.method(),
        path = &path[..path.floor_char_boundary(MAX_PATH)],
        by = Empty,
        operation = Empty
    )
}

/// The mark of a response to a request that monitoring systems send every few seconds.
#[derive(Debug, Clone, Copy)]
struct RoutineRequest;

/// Marks a successful response as routine, so that it is logged at the level `debug` only.
pub(in crate::http) async fn mark_routine(mut response: Response) -> Response {
    if response.status().is_success() {
        response.extensions_mut().insert(RoutineRequest);
    }
    response
}

/// Logs a response with its status and duration.
pub(in crate::http) fn log_response(response: &Response<impl Sized>, latency: Duration, _span: &Span) {
    // JSON logs write 128-bit integers as text.
    let (status, milliseconds) = (response.status().as_u16(), u64::try_from(latency.as_millis()).unwrap_or(u64::MAX));
    if response.extensions().get::<RoutineRequest>().is_some() {
        tracing::debug!(target: "session_admin::http", status, milliseconds, "answered");
    } else {
        tracing::info!(target: "session_admin::http", status, milliseconds, "answered");
    }
}
