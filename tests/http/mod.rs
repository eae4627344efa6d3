//! The server's edge: who is let in, in what shape, and what comes back.

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

/// A client that goes straight to the server.
fn client() -> reqwest::Client {
    // Whoever was first has chosen the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
