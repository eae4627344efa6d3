//! GraphQL requests, in an address or in the members of a JSON object.

use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::response::{Refusal, bad_request};
use crate::conformance::request::GraphqlRequest;

/// The parameters of a GET.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestParameters {
    query: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
    operation_name: Option<String>,
}

/// Reads the GraphQL request in the address of a GET.
///
/// # Errors
/// The refusal (400) that says which parameter is wrong.
pub(in crate::http) fn from_address(uri: &Uri) -> Result<GraphqlRequest, Refusal> {
    let Query(parameters) = Query::<RequestParameters>::try_from_uri(uri).map_err(|_| {
        bad_request("The address's parameters cannot be read: each may be given once, percent-encoded.")
    })?;
    let query = parameters.query.ok_or_else(|| bad_request("The parameter query is missing."))?;
    let json = |name: &str, text: Option<String>| {
        text.filter(|text| !text.is_empty()).map_or(Ok(Value::Null), |text| {
            serde_json::from_str(&text).map_err(|_| bad_request(format!("The parameter {name} is not JSON.")))
        })
    };
    let variables = json("variables", parameters.variables)?;
    check_extensions(&json("extensions", parameters.extensions)?)?;
    let operation_name = parameters.operation_name.filter(|name| !name.is_empty());
    Ok(GraphqlRequest { query, operation_name, variables: read_variables(variables)? })
}

/// Reads the GraphQL request in the members of a JSON object.
///
/// # Errors
/// The refusal (400) that says which member is wrong.
pub(in crate::http) fn from_members(mut members: Map<String, Value>) -> Result<GraphqlRequest, Refusal> {
    let mut take = |name: &str| members.remove(name).unwrap_or_default();
    let Value::String(query) = take("query") else { return Err(bad_request("query is missing, or no string.")) };
    let operation_name = match take("operationName") {
        Value::Null => None,
        Value::String(name) => Some(name).filter(|name| !name.is_empty()),
        _ => return Err(bad_request("operationName is no string.")),
    };
    check_extensions(&take("extensions"))?;
    Ok(GraphqlRequest { query, operation_name, variables: read_variables(take("variables"))? })
}

/// Takes over what the library has read, with its variables as JSON.
pub(super) fn from_request(request: async_graphql::Request) -> GraphqlRequest {
    let async_graphql::Request { query, operation_name, variables, .. } = request;
    let variables = match variables.into_value().into_json() {
        Ok(Value::Object(variables)) => variables,
        // The values come from JSON, so they can be written as JSON.
        _ => Map::new(),
    };
    GraphqlRequest { query, operation_name: operation_name.filter(|name| !name.is_empty()), variables }
}

/// Accepts any extensions: this server knows none, and a client may send those of others.
fn check_extensions(value: &Value) -> Result<(), Refusal> {
    if matches!(value, Value::Null | Value::Object(_)) { Ok(()) } else { Err(bad_request("extensions is no object.")) }
}

fn read_variables(value: Value) -> Result<Map<String, Value>, Refusal> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(variables) => Ok(variables),
        _ => Err(bad_request("variables is no object.")),
    }
}
