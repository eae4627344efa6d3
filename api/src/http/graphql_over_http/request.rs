//! The parsing of GraphQL requests, from a URI or from the members of a JSON object.

use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::response::{Refusal, bad_request};
use crate::conformance::request::GraphqlRequest;

/// The query parameters of a GET.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestParameters {
    query: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
    operation_name: Option<String>,
}

/// Reads the GraphQL request in the URI of a GET.
///
/// # Errors
/// Returns a refusal (400) that names the invalid parameter.
pub(in crate::http) fn from_address(uri: &Uri) -> Result<GraphqlRequest, Refusal> {
    let Query(parameters) = Query::<RequestParameters>::try_from_uri(uri).map_err(|_| {
        bad_request("The parameters of the URL cannot be read: give each of them once, percent-encoded.")
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
/// Returns a refusal (400) that names the invalid member.
pub(in crate::http) fn from_members(mut members: Map<String, Value>) -> Result<GraphqlRequest, Refusal> {
    let mut take = |name: &str| members.remove(name).unwrap_or_default();
    let Value::String(query) = take("query") else { return Err(bad_request("query is missing or not a string.")) };
    let operation_name = match take("operationName") {
        Value::Null => None,
        Value::String(name) => Some(name).filter(|name| !name.is_empty()),
        _ => return Err(bad_request("operationName is not a string.")),
    };
    check_extensions(&take("extensions"))?;
    Ok(GraphqlRequest { query, operation_name, variables: read_variables(take("variables"))? })
}

/// Converts a request that async-graphql has parsed, with its variables as JSON.
pub(super) fn from_request(request: async_graphql::Request) -> GraphqlRequest {
    let async_graphql::Request { query, operation_name, variables, .. } = request;
    let variables = match variables.into_value().into_json() {
        Ok(Value::Object(variables)) => variables,
        // The values were parsed from JSON, so they always convert to an object.
        _ => Map::new(),
    };
    GraphqlRequest { query, operation_name: operation_name.filter(|name| !name.is_empty()), variables }
}

/// Accepts any extensions. This server supports none and ignores those of the client.
fn check_extensions(value: &Value) -> Result<(), Refusal> {
    if matches!(value, Value::Null | Value::Object(_)) {
        Ok(())
    } else {
        Err(bad_request("extensions is not an object."))
    }
}

fn read_variables(value: Value) -> Result<Map<String, Value>, Refusal> {
    match value {
        Value::Null => Ok(Map::new()),
        Value::Object(variables) => Ok(variables),
        _ => Err(bad_request("variables is not an object.")),
    }
}
