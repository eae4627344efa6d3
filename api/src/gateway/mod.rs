//! The gateway: the service that holds the live connections to the messenger.
//!
//! It is queried over HTTP about the state of sessions. A failure is reported as a state, never as an error. Nothing
//! here knows the database, and nothing queries the gateway while it holds locks.

mod cached_client;
mod circuit_breaker;
mod client;
mod model;
mod settings;
mod status_words;

pub use cached_client::{Gateway, query_all, query_if_available_each};
pub use model::{GatewaySessionState, GatewayState};
pub use settings::{GatewaySettings, Header, StatusPath, UrlTemplate};
pub use status_words::StatusWords;
