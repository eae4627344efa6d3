//! Reading a call out of an HTTP request.

use axum::body::BodyDataStream;
use axum::extract::{Query, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode, Uri};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;

use super::response::{Refusal, overloaded};
use crate::admission::client_quota::Caller;
use crate::conformance::request::GraphqlRequest;
use crate::http::connection::activity::Client;
use crate::limits::Limits;

/// The parameters of a GET.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
    operation_name: Option<String>,
}

/// The call in the address of a GET.
pub(in crate::http) fn from_address(uri: &Uri) -> Result<GraphqlRequest, Refusal> {
    let Query(parameters) = Query::<Parameters>::try_from_uri(uri)
        .map_err(|_| bad("The address's parameters cannot be read: each may be given once, percent-encoded."))?;
    let query = parameters.query.ok_or_else(|| bad("The parameter query is missing."))?;
    let json = |name: &str, text: Option<String>| {
        text.filter(|text| !text.is_empty()).map_or(Ok(Value::Null), |text| {
            serde_json::from_str(&text).map_err(|_| bad(&format!("The parameter {name} is not JSON.")))
        })
    };
    let variables = json("variables", parameters.variables)?;
    check_extensions(&json("extensions", parameters.extensions)?)?;
    let operation_name = parameters.operation_name.filter(|name| !name.is_empty());
    Ok(GraphqlRequest { query, operation_name, variables: read_variables(variables)? })
}

/// The call in the body of a POST.
pub(in crate::http) async fn from_body(
    request: Request,
    limits: &Limits,
    client: &Client,
    caller: &Caller,
) -> Result<GraphqlRequest, Refusal> {
    check_content_type(request.headers())?;
    if request
        .headers()
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the body as it is: no Content-Encoding is known.",
        ));
    }
    let sending = client.send();
    let (body, _room) =
        tokio::time::timeout(limits.body_time, received(request, limits.body, caller)).await.map_err(|_| {
            let seconds = limits.body_time.as_secs();
            let message = format!("The body did not arrive within {seconds} seconds.");
            Refusal::new(StatusCode::REQUEST_TIMEOUT, message)
        })??;
    drop(sending);
    match serde_json::from_slice(&body) {
        Ok(Value::Object(members)) => from_members(members),
        Ok(Value::Array(_)) => Err(bad("Send one request at a time: batches are not taken.")),
        Ok(_) => Err(bad("The body is not a JSON object with a query.")),
        Err(_) => Err(bad("The body is not JSON.")),
    }
}

/// Reads a body. As much as has arrived of it is among what its caller sends at once.
async fn received(
    request: Request,
    most: usize,
    caller: &Caller,
) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Refusal> {
    let mut arriving = request.into_body().into_data_stream();
    let (mut body, mut room) = (Vec::new(), None::<OwnedSemaphorePermit>);
    while let Some(bytes) = arriving.next().await {
        let bytes = bytes.map_err(|_| bad("The body cannot be read."))?;
        if body.len() + bytes.len() > most {
            return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body is larger than {most} bytes.")));
        }
        let Ok(more) = caller.send(bytes.len()) else {
            drop((body, room));
            pass_over(arriving, most).await;
            return Err(overloaded());
        };
        match &mut room {
            Some(room) => room.merge(more),
            None => room = Some(more),
        }
        body.extend_from_slice(&bytes);
    }
    Ok((body, room))
}

/// Reads the rest of a body and keeps nothing of it. A client that is answered before it has sent it loses the answer with its
/// connection.
async fn pass_over(mut body: BodyDataStream, mut left: usize) {
    while let (Some(Ok(bytes)), true) = (body.next().await, left > 0) {
        left = left.saturating_sub(bytes.len());
    }
}

/// The call in the members of a JSON object.
pub(in crate::http) fn from_members(mut members: Map<String, Value>) -> Result<GraphqlRequest, Refusal> {
    let mut take = |name: &str| members.remove(name).unwrap_or_default();
    let Value::String(query) = take("query") else { return Err(bad("query is missing, or no string.")) };
    let operation_name = match take("operationName") {
        Value::Null => None,
        Value::String(name) => Some(name).filter(|name| !name.is_empty()),
        _ => return Err(bad("operationName is no string.")),
    };
    check_extensions(&take("extensions"))?;
    Ok(GraphqlRequest { query, operation_name, variables: read_variables(take("variables"))? })
}

/// None is known here, and each may be left alone.
fn check_extensions(value: &Value) -> Result<(), Refusal> {
    if matches!(value, Value::Null | Value::Object(_)) { Ok(()) } else { Err(bad("extensions is no object.")) }
}

fn read_variables(value: Value) -> Result<Map<String, Value>, Refusal> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(variables) => Ok(variables),
        _ => Err(bad("variables is no object.")),
    }
}

/// JSON only. Browsers send forms and plain text to any site without asking it; JSON they do not.
fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none()).and_then(|value| value.to_str().ok());
    let mut parts = only.unwrap_or_default().split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
            value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if json && utf8 {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the request as application/json, in UTF-8."))
}

fn bad(message: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, message)
}
