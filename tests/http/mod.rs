//! Tests of the HTTP server: access control, the forms of requests, and responses.

pub mod app;

mod client_quotas;
mod connections;
mod cors;
mod get;
mod graphiql;
mod health;
mod host_check;
pub mod limits;
mod listen_and_stop;
mod metrics;
mod post;
mod request_log;
mod unread_responses;
pub mod websocket;

/// Returns an HTTP client that uses no proxy.
fn client() -> reqwest::Client {
    // An error means that another test has installed the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
