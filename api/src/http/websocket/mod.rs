//! The route `/graphql/ws`, which executes queries, mutations and subscriptions over a WebSocket with the subprotocol
//! graphql-transport-ws (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).

mod connection;
mod operations;
mod protocol;
pub(in crate::http) mod registry;
pub(in crate::http) mod upgrade;
