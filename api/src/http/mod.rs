//! The HTTP layer: connections, requests, responses and WebSockets. The content of requests is handled by GraphQL.

mod app;
mod connection;
mod graphql_over_http;
mod middleware;
mod readiness_cache;
mod router;
mod routes;
mod server;
mod websocket;

pub use connection::bind_policy::check_listen;
pub use middleware::cors::{Origin, check_origins};
pub use router::router;
pub use server::serve;
pub use websocket::registry::Sockets;
