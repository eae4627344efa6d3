//! The parser of the GraphQL request in the body of a POST.
//!
//! The body is collected within the server's limits and then parsed by async-graphql's extractor. If the extractor
//! rejects the body, this module parses it again to find the reason: the extractor's own messages are Rust debug text.

use async_graphql::ParseRequestError;
use async_graphql_axum::GraphQLRequest;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{FromRequest as _, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use serde_json::Value;

use super::request::{from_members, from_request};
use super::response::{Refusal, bad_request, overloaded};
use crate::admission::client_quota::ClientQuota;
use crate::admission::permit::Permit;
use crate::conformance::request::GraphqlRequest;
use crate::http::connection::activity::ConnectionActivity;
use crate::limits::Limits;

/// Reads the GraphQL request in the body of a POST.
///
/// # Errors
/// Returns a refusal if the body is not JSON in UTF-8 (415, 400), too large (413), too slow (408), larger than the
/// remaining quota of the client (503), or not a GraphQL request (400).
pub(in crate::http) async fn read_body(
    request: Request,
    limits: &Limits,
    connection: &ConnectionActivity,
    quota: &ClientQuota,
) -> Result<GraphqlRequest, Refusal> {
    check_content_type(request.headers())?;
    check_content_encoding(request.headers())?;
    let receiving = connection.begin_body();
    let (parts, body) = request.into_parts();
    let collected = tokio::time::timeout(limits.body_timeout, collect(body.into_data_stream(), limits.max_body, quota));
    let (body, _reserved) = collected.await.map_err(|_| {
        let seconds = limits.body_timeout.as_secs();
        let message = format!("The body did not arrive within {seconds} seconds.");
        Refusal::new(StatusCode::REQUEST_TIMEOUT, message)
    })??;
    drop(receiving);
    let body = Bytes::from(body);
    if is_object(&body) {
        let request = Request::from_parts(parts, Body::from(body.clone()));
        match GraphQLRequest::<UnreadableBody>::from_request(request, &()).await.map(GraphQLRequest::into_inner) {
            Ok(request) if !request.query.is_empty() => return Ok(from_request(request)),
            Ok(_) | Err(UnreadableBody) => {}
        }
    }
    parse_rejected_body(&body)
}

/// The extractor's rejection. [`parse_rejected_body`] finds the reason for it.
struct UnreadableBody;

impl From<ParseRequestError> for UnreadableBody {
    fn from(_: ParseRequestError) -> Self {
        Self
    }
}

/// Satisfies the trait bounds of the extractor. The response is never sent.
impl IntoResponse for UnreadableBody {
    fn into_response(self) -> Response {
        StatusCode::BAD_REQUEST.into_response()
    }
}

/// Returns whether the body starts like a JSON object. The extractor would also accept an array, and read its elements
/// as the members of a request.
fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'{')
}

/// Parses a body that the extractor has rejected, and returns the reason as an error.
fn parse_rejected_body(body: &[u8]) -> Result<GraphqlRequest, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => from_members(members),
        Ok(Value::Array(_)) => Err(bad_request("Send one request at a time: batches are not supported.")),
        Ok(_) => Err(bad_request("The body is not a JSON object with a query.")),
        Err(_) => Err(bad_request("The body is not JSON.")),
    }
}

/// Collects a body of up to `max` bytes.
///
/// The bytes that have arrived count towards the client's quota while the returned permit is held.
async fn collect(
    mut chunks: BodyDataStream,
    max: usize,
    quota: &ClientQuota,
) -> Result<(Vec<u8>, Option<Permit>), Refusal> {
    let (mut body, mut reserved) = (Vec::new(), None::<Permit>);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| bad_request("The body cannot be read."))?;
        if body.len() + chunk.len() > max {
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body is larger than {max} bytes.")));
        }
        let Ok(more) = quota.reserve_body(chunk.len()) else {
            drop((body, reserved));
            drain(chunks, max).await;
            return Err(overloaded());
        };
        match &mut reserved {
            Some(reserved) => reserved.merge(more),
            None => reserved = Some(more),
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body, reserved))
}

/// Reads and discards the rest of a body, up to `max` bytes.
///
/// If the server responded while the client was still sending, the client would lose the connection and the response.
async fn drain(mut chunks: BodyDataStream, max: usize) {
    let mut remaining = max;
    while let (Some(Ok(chunk)), true) = (chunks.next().await, remaining > 0) {
        remaining = remaining.saturating_sub(chunk.len());
    }
}

/// Accepts only JSON in UTF-8. Web pages of other sites cannot send JSON without a preflight request, unlike forms and
/// plain text.
fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let single_value = types.next().filter(|_| types.next().is_none()).and_then(|value| value.to_str().ok());
    let mut parts = single_value.unwrap_or_default().split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if is_json && is_utf8 {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the request as application/json, in UTF-8."))
}

fn check_content_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    if codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "Send the body without a Content-Encoding: none is supported.",
    ))
}
