//! One span and one log line for each request: method, path, principal, operation, status and time, never the query or its
//! variables. A successful probe or request for metrics is logged at the level `debug` only. Log lines are found by the
//! request's id, which the response carries.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderName;
use axum::response::Response;
use tower_http::request_id::RequestId;
use tracing::Span;
use tracing::field::Empty;

pub(in crate::http) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is accepted from a client, in bytes.
const MAX_ID: usize = 64;
/// The most of a path that is logged, in bytes. The paths of this server are shorter.
const MAX_PATH: usize = 200;

/// Returns the request's id.
pub(in crate::http) fn id_of(request: &Request) -> &str {
    request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default()
}

/// Returns the span of a WebSocket's log lines, after the request that opened it has been answered.
pub(in crate::http) fn socket_span(id: &str) -> Span {
    tracing::info_span!(target: "session_admin::http", "socket", id)
}

/// Records the operation's name in the request's span, once the query has been parsed.
pub(in crate::http) fn record_operation(name: &str) {
    Span::current().record("operation", name);
}

/// Records the principal's name in the request's span, once the token has been looked up.
pub(in crate::http) fn record_principal(name: &str) {
    Span::current().record("by", name);
}

/// Drops a client's request id unless it is harmless in a log and a header.
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

/// The mark of a response that machines ask for every few seconds.
#[derive(Debug, Clone, Copy)]
struct RoutineRequest;

/// Marks a successful response as routine, so that it is logged at the level `debug` only.
pub(in crate::http) async fn mark_routine(mut response: Response) -> Response {
    if response.status().is_success() {
        response.extensions_mut().insert(RoutineRequest);
    }
    response
}

/// Logs a response with its status and how long it took.
pub(in crate::http) fn log_response(response: &Response<impl Sized>, latency: Duration, _span: &Span) {
    // JSON logs write integers of 128 bits as text.
    let (status, milliseconds) = (response.status().as_u16(), u64::try_from(latency.as_millis()).unwrap_or(u64::MAX));
    if response.extensions().get::<RoutineRequest>().is_some() {
        tracing::debug!(target: "session_admin::http", status, milliseconds, "answered");
    } else {
        tracing::info!(target: "session_admin::http", status, milliseconds, "answered");
    }
}
