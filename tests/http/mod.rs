//! The server's edge: who is let in, in what shape, and what comes back.

pub mod app;

mod connections;
mod fair;
mod get;
mod guard;
mod health;
pub mod limits;
mod metrics;
mod origins;
mod page;
mod post;
mod serve;
pub mod socket;
mod traces;
mod unread;

/// A client that goes straight to the server.
fn client() -> reqwest::Client {
    // Whoever was first has chosen the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
