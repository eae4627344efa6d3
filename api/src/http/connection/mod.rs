//! The acceptance and eviction of connections, independent of routes. README.md describes what it adds to hyper and
//! tower-http.

pub(in crate::http) mod accept_loop;
pub(in crate::http) mod activity;
pub(in crate::http) mod bind_policy;
mod tracked_io;
