//! A request before anything of it is checked.

use serde_json::{Map, Value};

/// A GraphQL request as a client sent it, over HTTP or a WebSocket.
#[derive(Debug, Default)]
pub struct GraphqlRequest {
    /// The text of the document.
    pub query: String,
    /// The name of the operation to execute; none where the document has only one.
    pub operation_name: Option<String>,
    /// The values of the operation's variables.
    pub variables: Map<String, Value>,
}
