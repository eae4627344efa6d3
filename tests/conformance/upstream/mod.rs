//! The deviations of async-graphql and async-graphql-axum from the specifications, as a plain server of theirs has them
//! today. Each test fails on the day upstream is right, and says which file can go. `api/src/conformance/README.md` is the
//! table of all.

mod bounds;
mod execution;
mod http;
mod plain;
mod table;
mod validation;
mod websocket;
