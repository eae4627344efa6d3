//! Tests that async-graphql and async-graphql-axum still deviate from the specifications.
//!
//! A test fails once upstream conforms, and its message says which file can be deleted. The table of all deviations is
//! in `api/src/conformance/README.md`.

mod bounds;
mod execution;
mod http;
mod plain;
mod table;
mod validation;
mod websocket;
