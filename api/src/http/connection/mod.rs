//! Accepting connections and deciding which stay open. README.md says what this does that hyper and tower-http do not.
//!
//! Nothing here knows a route.

pub(in crate::http) mod accept_loop;
pub(in crate::http) mod activity;
pub(in crate::http) mod bind_policy;
mod tracked_io;
