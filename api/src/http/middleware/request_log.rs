//! One span and one line in the log for each request: method, path, who, operation, status and time, never the query or its
//! variables; for health and metrics only where the level is `debug`, or something is wrong. Whoever has an answer finds its
//! lines by the request's id.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderName;
use axum::middleware::map_request;
use axum::response::Response;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use tracing::Span;
use tracing::field::Empty;

pub(in crate::http) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from a client.
const MAX_ID: usize = 64;
/// The most of a path that is written down, in bytes; those of this server are shorter.
const MAX_PATH: usize = 200;

/// Gives every request its id and its span.
pub(in crate::http) fn layer(router: Router) -> Router {
    router
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(TraceLayer::new_for_http().make_span_with(span).on_request(()).on_response(answered).on_failure(()))
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(map_request(drop_unusable_id))
}

/// The request's id, as text.
pub(in crate::http) fn id_of(request: &Request) -> &str {
    request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok()).unwrap_or_default()
}

/// The span of what a socket is used for, once the request that opened it has been answered.
pub(in crate::http) fn socket_span(id: &str) -> Span {
    tracing::info_span!("socket", id)
}

/// Notes the name of the operation, which is known only after the query has been parsed.
pub(in crate::http) fn note_operation(name: &str) {
    Span::current().record("operation", name);
}

/// Notes who asks, which is known only after the token has been looked up.
pub(in crate::http) fn note_principal(name: &str) {
    Span::current().record("by", name);
}

/// An id that a client made is kept if it can do no harm in a log or a header.
async fn drop_unusable_id(mut request: Request) -> Request {
    let usable = |id: &[u8]| {
        (1..=MAX_ID).contains(&id.len()) && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
    };
    if request.headers().get(X_REQUEST_ID).is_some_and(|id| !usable(id.as_bytes())) {
        request.headers_mut().remove(X_REQUEST_ID);
    }
    request
}

fn span(request: &Request<Body>) -> Span {
    let path = request.uri().path();
    tracing::info_span!(
        "request",
        id = id_of(request),
        method = %request.method(),
        path = &path[..path.floor_char_boundary(MAX_PATH)],
        by = Empty,
        operation = Empty
    )
}

/// Marks an answer of which nobody wants a line each time: machines ask for it every few seconds.
#[derive(Debug, Clone, Copy)]
struct Routine;

/// Marks the answers of a route as routine, unless something is wrong.
pub(in crate::http) async fn routine(mut response: Response) -> Response {
    if response.status().is_success() {
        response.extensions_mut().insert(Routine);
    }
    response
}

fn answered(response: &Response<impl Sized>, latency: Duration, _span: &Span) {
    // As a number: 128 bits are written as text.
    let (status, milliseconds) = (response.status().as_u16(), u64::try_from(latency.as_millis()).unwrap_or(u64::MAX));
    if response.extensions().get::<Routine>().is_some() {
        tracing::debug!(status, milliseconds, "answered");
    } else {
        tracing::info!(status, milliseconds, "answered");
    }
}
